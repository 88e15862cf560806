// A method's targets: slots of the base by the ends of their paths, and parameters of the base that get a variant.
#include <algorithm>
#include <set>

#include "autograd/text.h"
#include "peft/inside/wrappers.h"
#include "peft/method.h"

namespace graft::peft {

bool matches(const std::string& path, const std::string& target) {
  if (path.size() < target.size() || path.compare(path.size() - target.size(), target.size(), target) != 0) return false;
  return path.size() == target.size() || path[path.size() - target.size() - 1] == '.';
}

template <class T>
std::vector<std::pair<std::string, Slot<T>*>> targeted(const BaseModel& base, const std::vector<std::string>& targets,
                                                       const std::string& who, const std::string& more) {
  std::vector<std::pair<std::string, Slot<T>*>> found;
  std::vector<std::string> there;  // without the numbers of layers
  std::set<std::string> hit;
  each(base, [&](const std::string& path, Part& part, const std::string& adapter) {
    auto* slot = dynamic_cast<Slot<T>*>(&part);
    if (!slot || part.name().empty() || !adapter.empty() || slot->empty() || slot == static_cast<void*>(base.score)) return;
    const std::string kind = path.rfind("layers.", 0) == 0 ? path.substr(path.find('.', 7) + 1) : path;
    if (std::find(there.begin(), there.end(), kind) == there.end()) there.push_back(kind);
    for (const std::string& target : targets)
      if (matches(path, target)) {
        hit.insert(target);
        if (found.empty() || found.back().second != slot) found.emplace_back(path, slot);
      }
  });
  for (const std::string& target : targets)
    expect<ValueError>(hit.count(target) != 0, [&] {
      return text(who, ": no slot ends with \"", target, "\"; this model has ", there.empty() ? "none" : joined(there), more);
    });
  return found;
}
template std::vector<std::pair<std::string, Slot<Projection>*>> targeted(const BaseModel&, const std::vector<std::string>&,
                                                                         const std::string&, const std::string&);
template std::vector<std::pair<std::string, Slot<Table>*>> targeted(const BaseModel&, const std::vector<std::string>&,
                                                                    const std::string&, const std::string&);

template std::vector<std::pair<std::string, Slot<RowMap>*>> targeted(const BaseModel&, const std::vector<std::string>&,
                                                                     const std::string&, const std::string&);

bool is_norm(const std::string& path) { return matches(path.substr(0, path.rfind('.')), "norm"); }

Index vary(const BaseModel& base, const std::string& name, const std::function<bool(const std::string&)>& which) {
  std::set<const void*> head;  // trained in full, as a copy: attach()
  if (base.score)
    for (const auto& named : (*base.score)->parameters()) head.insert(named.second->identity());
  Index count = 0;
  for (const Owned& p : owned(base)) {
    if (!p.adapter.empty() || !which(p.path) || p.param->varies(name) || head.count(p.param->identity())) continue;
    p.param->vary(base.model.selection(), name, p.param->own().value().clone());
    ++count;
  }
  return count;
}

}  // namespace graft::peft
