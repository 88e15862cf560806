#include "peft/inside/wrappers.h"

#include <set>

namespace graft::peft {
namespace {

using Visit = std::function<void(const std::string& path, Part& part, const std::string& adapter)>;

std::string joined_path(const std::string& path, const std::string& name) {
  return path.empty() || name.empty() ? path + name : path + "." + name;
}

void each_below(const Module& module, const std::string& path, const std::string& adapter, const Visit& visit) {
  for (Part* part : module.parts()) {
    const std::string here = joined_path(path, part->name());
    const std::string& whose = part->variant().empty() ? adapter : part->variant();
    visit(here, *part, whose);
    for (const auto& child : part->children()) each_below(*child.second, joined_path(here, child.first), whose, visit);
  }
}

}  // namespace

void each(const BaseModel& base, const Visit& visit) { each_below(base.root, "", "", visit); }

std::vector<Owned> owned(const BaseModel& base) {
  std::vector<Owned> all;
  std::set<const void*> seen;
  each(base, [&](const std::string& path, Part& part, const std::string& adapter) {
    auto* param = dynamic_cast<Param*>(&part);
    if (param && seen.insert(param->identity()).second) all.push_back({path, param, adapter});
  });
  return all;
}

std::vector<Wrapper*> wrappers(const BaseModel& base) {
  std::vector<Wrapper*> all;
  base.root.each([&](const std::string&, Part& part) {
    for (const auto& child : part.children())
      if (auto* wrapper = dynamic_cast<Wrapper*>(child.second)) all.push_back(wrapper);
  });
  return all;
}

std::vector<Param*> varied(const BaseModel& base, const std::string& name) {
  std::vector<Param*> all;
  base.root.each([&](const std::string&, Part& part) {
    auto* param = dynamic_cast<Param*>(&part);
    if (param && param->varies(name)) all.push_back(param);
  });
  return all;
}

std::string merged_name(const BaseModel& base) {
  for (const Wrapper* wrapper : wrappers(base))
    if (!wrapper->merged().empty()) return wrapper->merged();
  return "";
}

void expect_none_merged(const BaseModel& base, const std::string& name, const char* who) {
  const std::string merged = merged_name(base);
  expect<ValueError>(merged.empty(), who, ": \"", merged, "\" is merged already; unmerge it before \"", name, "\"");
}

}  // namespace graft::peft
