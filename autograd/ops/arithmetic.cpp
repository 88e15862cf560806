// + - * / and scale. One shape may be the tail of the other; it then repeats, and its gradient is summed over the repeats.
#include "autograd/kernels.h"
#include "autograd/ops.h"
#include "autograd/ops/check.h"

namespace graft {
namespace {

using kernel::Binary;
using kernel::sum_to;

void expect_tail(const char* op, const Variable& a, const Variable& b) {
  expect_defined(op, a, b);
  expect(b.shape().is_tail_of(a.shape()) || a.shape().is_tail_of(b.shape()), op, ": shapes ", a.shape(), " and ", b.shape(),
         " do not fit; they must be equal, or one the tail of the other");
}

/// op(a, b), where `swapped` computes the same from (b, a): kernels repeat only their second argument.
Tensor broadcast(Binary op, Binary swapped, const Tensor& a, const Tensor& b) {
  return b.shape().is_tail_of(a.shape()) ? kernel::binary(op, a, b) : kernel::binary(swapped, b, a);
}

}  // namespace

/// y = a + b       ∂a = ∂y        ∂b = ∂y
Variable operator+(const Variable& a, const Variable& b) {
  expect_tail("add", a, b);
  return record("add", broadcast(Binary::add, Binary::add, a.value(), b.value()),
                Edge{a, [shape = a.shape()](const Tensor& dy) { return sum_to(dy, shape); }},
                Edge{b, [shape = b.shape()](const Tensor& dy) { return sum_to(dy, shape); }});
}

/// y = a - b       ∂a = ∂y        ∂b = -∂y
Variable operator-(const Variable& a, const Variable& b) {
  expect_tail("sub", a, b);
  return record("sub", broadcast(Binary::sub, Binary::sub_from, a.value(), b.value()),
                Edge{a, [shape = a.shape()](const Tensor& dy) { return sum_to(dy, shape); }},
                Edge{b, [shape = b.shape()](const Tensor& dy) { return kernel::scale(sum_to(dy, shape), -1); }});
}

/// y = a·b         ∂a = ∂y·b      ∂b = ∂y·a
Variable operator*(const Variable& a, const Variable& b) {
  expect_tail("mul", a, b);
  return record("mul", broadcast(Binary::mul, Binary::mul, a.value(), b.value()),
                Edge{a, [B = Saved(b), shape = a.shape()](const Tensor& dy) { return kernel::multiply_sum_to(dy, B, shape); }},
                Edge{b, [A = Saved(a), shape = b.shape()](const Tensor& dy) { return kernel::multiply_sum_to(dy, A, shape); }});
}

/// y = a/b         ∂a = ∂y/b      ∂b = -∂y·y/b
Variable operator/(const Variable& a, const Variable& b) {
  expect_tail("div", a, b);
  const Tensor y = broadcast(Binary::div, Binary::div_into, a.value(), b.value());
  return record(
      "div", y,
      Edge{a, [B = Saved(b), shape = a.shape()](const Tensor& dy) { return sum_to(kernel::binary(Binary::div, dy, B), shape); }},
      Edge{b, [Y = Saved(y), B = Saved(b), shape = b.shape()](const Tensor& dy) {
             return kernel::scale(sum_to(kernel::binary(Binary::div, kernel::binary(Binary::mul, dy, Y), B), shape), -1);
           }});
}

/// y = s·x         ∂x = s·∂y
Variable scale(const Variable& x, real s) {
  expect_defined("scale", x);
  return record("scale", kernel::scale(x.value(), s), Edge{x, [s](const Tensor& dy) { return kernel::scale(dy, s); }});
}

}  // namespace graft
