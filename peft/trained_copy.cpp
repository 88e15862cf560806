#include "peft/trained_copy.h"

#include "autograd/ops.h"

namespace graft::peft {

std::vector<std::string> TrainedCopy::names() const {
  std::vector<std::string> all;
  for (const auto& copy : copies_) all.push_back(copy.first);
  return all;
}

Variable TrainedCopy::operator()(const Variable& x) {
  if (passes(selection)) return base(x);
  if (selection.mixed())
    return by_rows(selection, {}, x,
                   [&](const std::string& name, const Rows&, const Variable& rows) { return apply(name, rows); });
  return apply(selection.one(), x);
}

Variable TrainedCopy::apply(const std::string& name, const Variable& x) {
  const auto found = copies_.find(name);
  if (found == copies_.end()) return base(x);
  const Copy& copy = *found->second;
  return copy.bias ? linear(x, copy.weight, *copy.bias) : linear(x, copy.weight);
}

Tensor TrainedCopy::merged_bias(const std::string& name) const {
  const Copy& copy = *copies_.at(name);
  return copy.bias ? copy.bias->value() : Tensor();
}

TrainedCopy::Copy& TrainedCopy::add(const std::string& name) {
  const Tensor b = base->bias();
  std::unique_ptr<Copy> copy(new Copy{Param(*this, "weight." + name, {out(), in()}), nullptr});
  copy->weight.give(base->dense().clone());
  if (b.defined()) {
    copy->bias = std::make_unique<Param>(*this, "bias." + name, Shape{out()});
    copy->bias->give(b.clone());
  }
  return *(copies_[name] = std::move(copy));
}

}  // namespace graft::peft
