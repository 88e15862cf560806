// Sums and means.
#include "autograd/kernels.h"
#include "autograd/ops.h"
#include "autograd/ops/check.h"

namespace graft {
namespace {

/// s·Σx over all numbers.
Variable reduce_all(const char* op, const Variable& x, real s) {
  return record(op, Tensor(Shape{}, s * kernel::total(x.value())),
                Edge{x, [s, shape = x.shape()](const Tensor& dy) { return Tensor(shape, s * dy.item()); }});
}

/// s·Σx over one axis.
Variable reduce_axis(const char* op, const Variable& x, int axis, real s) {
  const Tensor total = kernel::sum_axis(x.value(), axis);
  return record(op, s == 1 ? total : kernel::scale(total, s),
                Edge{x, [s, axis, shape = x.shape()](const Tensor& dy) { return kernel::repeat_axis(dy, shape, axis, s); }});
}

real one_over(Index count, const Shape& shape) {
  expect<ValueError>(count > 0, "mean: nothing to average in shape ", shape, "; give at least one number");
  return real(1) / static_cast<real>(count);
}

}  // namespace

/// y = Σᵢ xᵢ       ∂xᵢ = ∂y
Variable sum(const Variable& x) {
  expect_defined("sum", x);
  return reduce_all("sum", x, 1);
}

/// y = Σᵢ xᵢ/n     ∂xᵢ = ∂y/n
Variable mean(const Variable& x) {
  expect_defined("mean", x);
  return reduce_all("mean", x, one_over(x.shape().numel(), x.shape()));
}

Variable sum(const Variable& x, int axis) {
  expect_defined("sum", x);
  return reduce_axis("sum", x, axis_of("sum", x, axis), 1);
}

Variable mean(const Variable& x, int axis) {
  expect_defined("mean", x);
  axis = axis_of("mean", x, axis);
  return reduce_axis("mean", x, axis, one_over(x.dim(axis), x.shape()));
}

}  // namespace graft
