#include "peft/quantize.h"

#include <map>

#include "nn/layers.h"
#include "nn/names.h"
#include "peft/wrapper.h"

namespace graft::peft {
namespace {

using Slots = std::vector<std::pair<std::string, Slot<Projection>*>>;

/// Those that one tensor of the model's file holds together, in its order: q, k and v of GPT-2, otherwise one each.
std::vector<Slots> tensors_of(const BaseModel& base, const Slots& slots) {
  std::vector<Slots> all;
  std::map<std::string, std::size_t> known;
  for (const auto& slot : slots) {
    const FilePlace place = hugging_face_place(base.model, slot.first + ".weight", "");
    const auto found = known.emplace(place.name, all.size());
    if (found.second) all.emplace_back();
    all[found.first->second].push_back(slot);
  }
  return all;
}

Tensor stacked(const Slots& slots) {
  Index rows = 0;
  for (const auto& slot : slots) rows += (*slot.second)->out();
  Tensor W(Shape{rows, (*slots[0].second)->in()});
  real* to = W.write();
  for (const auto& slot : slots) {
    const Tensor part = (*slot.second)->dense();
    to = std::copy_n(part.data(), part.numel(), to);
  }
  return W;
}

void pack(const Slots& slots, const FourBitOptions& options) {
  const auto matrix = std::make_shared<const FourBitMatrix>(stacked(slots), options);
  Index first = 0;
  for (const auto& slot : slots) {
    const Index out = (*slot.second)->out();
    auto packed = std::make_unique<PackedLinear>(rows_of(matrix, first, out), (*slot.second)->bias().defined());
    if (packed->b) {
      packed->b->learn(false);
      packed->b->set((*slot.second)->bias());
    }
    slot.second->put(std::move(packed));
    first += out;
  }
}

}  // namespace

Index quantize(const BaseModel& base, const Quantize& options) {
  Slots slots;
  if (!options.targets.empty()) slots = targeted<Projection>(base, options.targets, "quantize");
  else
    for (const auto& slot : base.root.slots<Projection>())
      if (!slot.second->empty() && slot.first != "head" && slot.second != base.score) slots.push_back(slot);
  expect<ValueError>(!slots.empty(), "quantize: ", base.model.kind(), " has no projections");
  Index count = 0;
  for (const auto& slot : slots) {
    Projection& occupant = **slot.second;
    expect<ValueError>(dynamic_cast<Wrapper*>(&occupant) == nullptr, "quantize: there is an adapter on ", slot.first,
                       " already; quantize first, then attach");
    expect<ValueError>(dynamic_cast<Linear*>(&occupant) != nullptr, "quantize: ", slot.first, " is a ", occupant.kind(),
                       ", which is packed already");
    count += occupant.in() * occupant.out();
  }
  for (const Slots& tensor : tensors_of(base, slots)) pack(tensor, options);
  return count;
}

void merge_and_requantize(const BaseModel& base, const std::string& name, const Quantize& options) {
  Quantize again = options;
  again.targets.clear();
  for (const auto& slot : base.root.slots<Projection>()) {
    Module* at = slot.second->empty() ? nullptr : &**slot.second;
    bool wrapped = false;
    while (auto* wraps = dynamic_cast<Wraps<Projection>*>(at)) at = &*wraps->base, wrapped = true;
    auto* packed = dynamic_cast<PackedLinear*>(at);
    if (wrapped && packed && packed->weight->format().find("F4") != std::string::npos) again.targets.push_back(slot.first);
  }
  merge_and_unload(base, name);
  Slots slots;
  for (const auto& slot : base.root.slots<Projection>())
    for (const std::string& path : again.targets)
      if (slot.first == path && dynamic_cast<Linear*>(&**slot.second)) slots.push_back(slot);
  for (const Slots& tensor : tensors_of(base, slots)) pack(tensor, options);
}

}  // namespace graft::peft
