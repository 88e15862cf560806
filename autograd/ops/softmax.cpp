// Softmax and its logarithm over the last axis.
#include "autograd/kernels.h"
#include "autograd/ops.h"
#include "autograd/ops/check.h"

namespace graft {
namespace {
void expect_rows(const char* op, const Variable& x) {
  expect_defined(op, x);
  expect(x.shape().rank() >= 1 && x.dim(-1) >= 1, op, ": x has shape ", x.shape(), ", but a row needs at least one number");
}
}  // namespace

/// y = softmax(x)          ∂x = y·(∂y - Σⱼ ∂yⱼyⱼ)
Variable softmax(const Variable& x) {
  expect_rows("softmax", x);
  const Tensor y = kernel::softmax(x.value());
  return record("softmax", y, Edge{x, [Y = Saved(y)](const Tensor& dy) { return kernel::softmax_backward(Y, dy); }});
}

/// y = x - log Σⱼ e^xⱼ     ∂x = ∂y - e^y·Σⱼ ∂yⱼ
Variable log_softmax(const Variable& x) {
  expect_rows("log_softmax", x);
  const Tensor y = kernel::log_softmax(x.value());
  return record("log_softmax", y, Edge{x, [Y = Saved(y)](const Tensor& dy) { return kernel::log_softmax_backward(Y, dy); }});
}

}  // namespace graft
