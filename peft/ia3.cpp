#include "peft/ia3.h"

#include "autograd/kernels.h"
#include "autograd/ops.h"
#include "peft/inside/file_format.h"
#include "peft/registry.h"
#include "peft/trained_copy.h"

namespace graft::peft {

Variable Ia3Linear::operator()(const Variable& x) { return scaled(base(scaled(x, true)), false); }

Variable Ia3Linear::scaled(const Variable& x, bool at_input) const {
  return by_entry({}, x, [&](const Ia3Scales& s, const Rows&, const Variable& rows) {
    return s.at_input == at_input ? rows * s.l : rows;
  });
}

Tensor Ia3Linear::merged_weight(const Ia3Scales& s) const {
  const Tensor W = base->dense(), l = s.l.value();
  if (s.at_input) return kernel::binary(kernel::Binary::mul, W, l);
  Tensor scaled(W.shape());
  real* to = scaled.write();
  for (Index o = 0; o < W.rows(); ++o)
    for (Index i = 0; i < W.cols(); ++i) to[o * W.cols() + i] = W[o * W.cols() + i] * l[o];
  return scaled;
}

Tensor Ia3Linear::merged_bias(const Ia3Scales& s) const {
  if (s.at_input || !base->bias().defined()) return base->bias();
  return kernel::binary(kernel::Binary::mul, base->bias(), s.l.value());
}

Ia3Scales& Ia3Linear::add(const std::string& name, bool at_input) {
  std::unique_ptr<Ia3Scales> s(new Ia3Scales{Param(*this, {"ia3_l", name}, Shape{at_input ? in() : out()}), at_input});
  s->l.set(Tensor(s->l.shape(), 1));
  return entries.put(name, std::move(s));
}

void Ia3::graft(const BaseModel& base, const std::string& name, Rng&) const {
  expect<ValueError>(!outputs.empty() || !inputs.empty(),
                     "IA3: no outputs and no inputs to scale; the paper takes k, v and down");
  for (const auto& slot : targeted<Projection>(base, outputs, kind()))
    wrapper_in<Ia3Linear>(*slot.second, base.model.selection()).add(name, false);
  for (const auto& slot : targeted<Projection>(base, inputs, kind())) {
    auto& wrapper = wrapper_in<Ia3Linear>(*slot.second, base.model.selection());
    expect<ValueError>(!wrapper.holds(name), "IA3: ", slot.first, " is among the outputs and the inputs; choose one");
    wrapper.add(name, true);
  }
  learn_whole(base, name, also, false, kind());
}

std::vector<MethodRow> Ia3::rows() { return {{"ia3", "IA3", "docs/methods/others.md", 5e-3, plain<Ia3>, &ia3_file}}; }

}  // namespace graft::peft
