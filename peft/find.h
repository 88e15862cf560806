// A wrapper in a model, by the path of its slot.
//     peft::find<peft::LoraLinear>(model, "layers.0.attn.q").delta()        // ΔW = s·B·A
#pragma once
#include "autograd/text.h"
#include "peft/method.h"
#include "peft/wrapper.h"

namespace graft::peft {

/// The wrapper of type W in the slot at `path`, or in the only one whose path ends so.
/// Errors: ValueError for a path that fits none, or several, lists them; or says what sits in that slot instead
template <class W>
W& find(const BaseModel& base, const std::string& path) {
  using T = typename W::Wrapped;
  auto slots = targeted<T>(base, {path}, "find");
  for (const auto& slot : slots)
    if (slot.first == path) slots = {slot};  // the whole path, though others end so, too
  std::vector<std::string> paths, sits;
  for (const auto& slot : slots) paths.push_back(slot.first);
  expect<ValueError>(slots.size() == 1, "find: ", slots.size(), " slots end with \"", path, "\"; say which: ", joined(paths));
  for (Slot<T>* at = slots[0].second; at != nullptr;) {
    if (auto* found = dynamic_cast<W*>(&**at)) return *found;
    sits.push_back((*at)->kind());
    auto* wraps = dynamic_cast<Wraps<T>*>(&**at);
    at = wraps ? &wraps->base : nullptr;
  }
  throw ValueError(text("find: there is no such wrapper in ", paths[0], ", but ", joined(sits)));
}

}  // namespace graft::peft
