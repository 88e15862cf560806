#include "peft/dora.h"

#include <cmath>

#include "autograd/kernels.h"
#include "autograd/ops.h"
#include "autograd/sizes.h"

namespace graft::peft {
namespace {

/// W₀ + s·B·A
Tensor direction(const LoraLinear& wrapper, const LoraPair& p) {
  return kernel::binary(kernel::Binary::add, below(wrapper.base, wrapper.selection).dense(),
                        kernel::scale(kernel::multiply_nn(p.B.value(), p.A.value()), p.scale));
}

}  // namespace

Tensor row_norms(const Tensor& W) {
  Tensor norms(Shape{W.rows()});
  real* to = norms.write();
  for (Index o = 0; o < W.rows(); ++o) {
    double sum = 0;
    for (Index i = 0; i < W.cols(); ++i) sum += static_cast<double>(W[o * W.cols() + i]) * W[o * W.cols() + i];
    to[o] = static_cast<real>(std::sqrt(sum));
  }
  return norms;
}

void add_magnitude(LoraLinear& wrapper, const std::string& name) {
  LoraPair& p = wrapper.entry(name);
  p.magnitude.emplace(wrapper, PartName("magnitude", name), Shape{wrapper.out()});
  p.magnitude->set(row_norms(direction(wrapper, p)));
}

Tensor column_norms(const Tensor& W) {
  std::vector<double> sums(static_cast<std::size_t>(W.cols()), 0);
  for (Index i = 0; i < W.numel(); ++i) nth(sums, i % W.cols()) += static_cast<double>(W[i]) * W[i];
  Tensor norms(Shape{W.cols()});
  real* to = norms.write();
  for (Index d = 0; d < W.cols(); ++d) to[d] = static_cast<real>(std::sqrt(nth(sums, d)));
  return norms;
}

Variable dora(const Variable& base_y, const Variable& bax, const LoraLinear& wrapper, const LoraPair& p) {
  const Variable norm(row_norms(direction(wrapper, p)));  // a constant: no history
  const Variable factor = p.magnitude->variable() / norm;
  const Tensor b = below(wrapper.base, wrapper.selection).bias();
  if (!b.defined()) return (base_y + bax) * factor;
  return (base_y - b + bax) * factor + b;
}

Tensor with_magnitude(const Tensor& W, const Tensor& m) {
  const Tensor norm = row_norms(W);
  Tensor scaled(W.shape());
  real* to = scaled.write();
  for (Index o = 0; o < W.rows(); ++o)
    for (Index i = 0; i < W.cols(); ++i) to[o * W.cols() + i] = W[o * W.cols() + i] * (m[o] / norm[o]);
  return scaled;
}

}  // namespace graft::peft
