// Products. No transpose is ever materialized: it is folded into the product (nt: second argument transposed, tn: first).
#include "autograd/kernels.h"
#include "autograd/ops.h"
#include "autograd/ops/check.h"

namespace graft {
namespace {

using namespace kernel;

void expect_linear(const Variable& x, const Variable& W) {
  expect_defined("linear", x, W);
  expect(W.shape().rank() == 2 && x.shape().rank() >= 1, "linear: x has shape ", x.shape(), " and W ", W.shape(),
         ", but W must be a matrix (out, in) and x at least one row (.., in)");
  expect(x.dim(-1) == W.dim(1), "linear: x ", x.shape(), " has ", x.dim(-1), " features but W ", W.shape(), " takes ", W.dim(1),
         "; y = x·Wᵀ with W (out, in)");
}

void expect_batched(const char* op, const Variable& a, const Variable& b, int b_axis) {
  expect_defined(op, a, b);
  expect(a.shape().rank() >= 2 && a.shape().rank() == b.shape().rank(), op, ": shapes ", a.shape(), " and ", b.shape(),
         " must have the same number of axes, at least two");
  for (int axis = 0; axis + 2 < a.shape().rank(); ++axis)
    expect(a.dim(axis) == b.dim(axis), op, ": shapes ", a.shape(), " and ", b.shape(), " differ on axis ", axis,
           "; all axes but the last two must be equal");
  expect(a.dim(-1) == b.dim(b_axis), op, ": shapes ", a.shape(), " and ", b.shape(), " share no inner size: ", a.dim(-1),
         " against ", b.dim(b_axis));
}

}  // namespace

/// y = x·Wᵀ        ∂x = ∂y·W        ∂W = ∂yᵀ·x
Variable linear(const Variable& x, const Variable& W) {
  expect_linear(x, W);
  return record("linear", multiply_nt(x.value(), W.value()),
                Edge{x, [W = Saved(W)](const Tensor& dy) { return multiply_nn(dy, W); }},
                Edge{W, [X = Saved(x)](const Tensor& dy) { return multiply_tn(dy, X); }});
}

/// y = x·Wᵀ + b    ∂x = ∂y·W        ∂W = ∂yᵀ·x        ∂b = Σ_rows ∂y
Variable linear(const Variable& x, const Variable& W, const Variable& b) {
  expect_linear(x, W);
  expect_defined("linear", x, W, b);
  expect(b.shape() == Shape{W.dim(0)}, "linear: b has shape ", b.shape(), " but W ", W.shape(), " gives ", W.dim(0),
         " features");
  return record("linear", multiply_nt(x.value(), W.value(), b.value()),
                Edge{x, [W = Saved(W)](const Tensor& dy) { return multiply_nn(dy, W); }},
                Edge{W, [X = Saved(x)](const Tensor& dy) { return multiply_tn(dy, X); }},
                Edge{b, [shape = b.shape()](const Tensor& dy) { return sum_to(dy, shape); }});
}

/// y = a·b         ∂a = ∂y·bᵀ       ∂b = aᵀ·∂y
Variable matmul(const Variable& a, const Variable& b) {
  expect_batched("matmul", a, b, -2);
  return record("matmul", batched_nn(a.value(), b.value()),
                Edge{a, [B = Saved(b)](const Tensor& dy) { return batched_nt(dy, B); }},
                Edge{b, [A = Saved(a)](const Tensor& dy) { return batched_tn(A, dy); }});
}

/// y = a·bᵀ        ∂a = ∂y·b        ∂b = ∂yᵀ·a
Variable matmul_nt(const Variable& a, const Variable& b) {
  expect_batched("matmul_nt", a, b, -1);
  return record("matmul_nt", batched_nt(a.value(), b.value()),
                Edge{a, [B = Saved(b)](const Tensor& dy) { return batched_nn(dy, B); }},
                Edge{b, [A = Saved(a)](const Tensor& dy) { return batched_tn(dy, A); }});
}

}  // namespace graft
