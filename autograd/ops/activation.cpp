// Elementwise functions. Each saves what makes its derivative cheapest: its result y or its input x.
#include "autograd/kernels.h"
#include "autograd/ops.h"
#include "autograd/ops/check.h"

namespace graft {
namespace {

using kernel::Unary;

enum class Saves { x, y };

Variable elementwise(const char* op, Unary f, Saves saves, const Variable& x) {
  expect_defined(op, x);
  const Tensor y = kernel::unary(f, x.value());
  return record(op, y, Edge{x, [f, saved = Saved(saves == Saves::y ? y : x.value())](const Tensor& dy) {
                              return kernel::unary_backward(f, saved, dy);
                            }});
}

}  // namespace

Variable exp(const Variable& x) { return elementwise("exp", Unary::exp, Saves::y, x); }              // ∂x = ∂y·y
Variable log(const Variable& x) { return elementwise("log", Unary::log, Saves::x, x); }              // ∂x = ∂y/x
Variable tanh(const Variable& x) { return elementwise("tanh", Unary::tanh, Saves::y, x); }           // ∂x = ∂y·(1 - y²)
Variable sigmoid(const Variable& x) { return elementwise("sigmoid", Unary::sigmoid, Saves::y, x); }  // ∂x = ∂y·y(1 - y)
Variable relu(const Variable& x) { return elementwise("relu", Unary::relu, Saves::y, x); }           // ∂x = ∂y if y > 0
Variable silu(const Variable& x) { return elementwise("silu", Unary::silu, Saves::x, x); }  // ∂x = ∂y·σ(1 + x(1 - σ))
Variable gelu(const Variable& x) { return elementwise("gelu", Unary::gelu, Saves::x, x); }  // see cpu/activation.cpp
Variable gelu_erf(const Variable& x) { return elementwise("gelu_erf", Unary::gelu_erf, Saves::x, x); }  // ∂x = ∂y·(Φ + x·φ)

}  // namespace graft
