// Merging: all wrappers of a name at once, for a time or for good.
#include <algorithm>
#include <cmath>

#include "peft/inside/wrappers.h"
#include "peft/method.h"

namespace graft::peft {
namespace {

void expect_finite(const Module& merged, const std::string& name) {
  for (const auto& named : merged.parameters()) {
    const Tensor& W = named.second->value();
    for (Index i = 0; i < W.numel(); ++i)
      expect<ValueError>(std::isfinite(W[i]), "merge: \"", name, "\" would make a ", named.first, " of ", W[i],
                         "; nothing was changed. Training has diverged, or the file is damaged");
  }
}

}  // namespace

void merge(const BaseModel& base, const std::string& name, bool safe) {
  expect_attached(base, name, "merge");
  expect_none_merged(base, name, "merge");
  std::vector<Wrapper*> holders;
  for (Wrapper* wrapper : wrappers(base))
    if (wrapper->holds(name)) holders.push_back(wrapper);
  const WithSelection selected(base.model, name);
  std::size_t done = 0;
  try {
    for (Wrapper* holder : holders) {
      holder->merge(name);
      ++done;
      if (safe) expect_finite(holder->wrapped(), name);
    }
  } catch (...) {
    for (std::size_t i = 0; i < done; ++i) holders[i]->unmerge();
    throw;
  }
}

void unmerge(const BaseModel& base, const std::string& name) {
  expect_attached(base, name, "unmerge");
  for (Wrapper* wrapper : wrappers(base))
    if (wrapper->merged() == name) wrapper->unmerge();
}

namespace {

/// Another name with parts below those of this one, in what merge_and_unload() drops; "" if there is none.
std::string one_below(const BaseModel& base, const std::string& name) {
  std::string found;
  for (Wrapper* wrapper : wrappers(base)) {
    if (!wrapper->holds(name)) continue;
    const auto look = [&](const std::vector<std::string>& names) {
      for (const std::string& other : names)
        if (other != name) found = other;
    };
    dynamic_cast<Module&>(*wrapper).each([&](const std::string&, Part& part) {
      if (auto* param = dynamic_cast<Param*>(&part)) look(param->variants());
      for (const auto& child : part.children())
        if (auto* below = dynamic_cast<Wrapper*>(child.second)) look(below->names());
    });
  }
  return found;
}

}  // namespace

void merge_and_unload(const BaseModel& base, const std::string& name) {
  expect_attached(base, name, "merge_and_unload");
  const bool merged = merged_name(base) == name;
  if (merged) unmerge(base, name);
  const std::string lost = one_below(base, name);
  if (merged || lost.empty()) merge(base, name, !merged);
  expect<ValueError>(lost.empty(), "merge_and_unload: \"", lost, "\" sits on the weights that \"", name,
                     "\" would replace for good, and would be lost; detach it first");
  for (Wrapper* wrapper : wrappers(base))
    if (wrapper->merged() == name) wrapper->keep_merged();
  for (Param* param : varied(base, name)) param->keep_variant(name);
  detach(base, name);
}

}  // namespace graft::peft
