// Rotary position embedding: a rotation per pair of features, so backward is the inverse rotation.
#include "autograd/kernels.h"
#include "autograd/ops.h"
#include "autograd/ops/check.h"

#include <cmath>

namespace graft {

Tensor rotary_frequencies(Index dim, real base) {
  expect<ValueError>(dim > 0 && dim % 2 == 0, "rotary_frequencies: heads of size ", dim, " cannot be split into pairs; ",
                     "an even size is needed");
  expect<ValueError>(base > 0, "rotary_frequencies: base is ", base, ", but must be positive");
  Tensor frequencies(Shape{dim / 2});
  real* theta = frequencies.write();
  for (Index j = 0; j < dim / 2; ++j) theta[j] = static_cast<real>(std::pow(double(base), -2.0 * double(j) / double(dim)));
  return frequencies;
}

/// y = R(position·θ)·x      ∂x = R(-position·θ)·∂y
Variable rotary(const Variable& x, const Ids& positions, const Tensor& frequencies) {
  expect_defined("rotary", x, frequencies);
  expect(x.shape().rank() == 4, "rotary: x has shape ", x.shape(), ", but (B, H, T, D) is needed");
  expect(positions.shape() == Shape{x.dim(2)} || positions.shape() == Shape({x.dim(0), x.dim(2)}),
         "rotary: positions have shape ", positions.shape(), " but x ", x.shape(), " needs (T) or (B, T)");
  expect(frequencies.numel() * 2 == x.dim(3), "rotary: ", frequencies.numel(), " frequencies, but heads of size ", x.dim(3),
         " have ", x.dim(3) / 2, " pairs");
  return record(
      "rotary", kernel::rotary(x.value(), positions, frequencies, +1),
      Edge{x, [positions, theta = Saved(frequencies)](const Tensor& dy) { return kernel::rotary(dy, positions, theta, -1); }});
}

}  // namespace graft
