// Normalisation over the last axis. Saved: x, and two numbers per row; x̂ = (x - mean)·inverse is made again in backward.
#include "autograd/kernels.h"
#include "autograd/ops.h"
#include "autograd/ops/check.h"

namespace graft {
namespace {
void expect_features(const char* op, const char* what, const Variable& x, const Variable& v) {
  expect(x.shape().rank() >= 1 && x.dim(-1) >= 1 && v.shape() == Shape{x.dim(-1)}, op, ": x has shape ", x.shape(), " but ",
         what, " ", v.shape(), "; ", what, " has one number per feature of x");
}
void expect_eps(const char* op, real eps) { expect<ValueError>(eps >= 0, op, ": eps is ", eps, ", but must be 0 or more"); }
}  // namespace

/// y = x̂·gain + bias, x̂ = (x - mean)/√(var + eps)
/// ∂gain = Σ_rows ∂y·x̂     ∂bias = Σ_rows ∂y     ∂x = inverse·(g - mean(g) - x̂·mean(g·x̂)),  g = ∂y·gain
Variable layer_norm(const Variable& x, const Variable& gain, const Variable& bias, real eps) {
  expect_defined("layer_norm", x, gain, bias);
  expect_features("layer_norm", "gain", x, gain);
  expect_features("layer_norm", "bias", x, bias);
  expect_eps("layer_norm", eps);
  const kernel::Normalized n = kernel::layer_norm(x.value(), gain.value(), bias.value(), eps);
  const Saved X(x), G(gain), mean(n.mean, "layer_norm"), inverse(n.inverse, "layer_norm");
  return record("layer_norm", n.y,
                Edge{x, [X, G, mean, inverse](const Tensor& dy) {
                       return kernel::layer_norm_backward_x(X, mean, inverse, G, dy);
                     }},
                Edge{gain, [X, mean, inverse](const Tensor& dy) { return kernel::norm_backward_gain(X, mean, inverse, dy); }},
                Edge{bias, [shape = bias.shape()](const Tensor& dy) { return kernel::fold(dy, shape); }});
}

/// y = x̂·gain, x̂ = x/√(mean(x²) + eps)
/// ∂gain = Σ_rows ∂y·x̂     ∂x = inverse·(g - x̂·mean(g·x̂)),  g = ∂y·gain
Variable rms_norm(const Variable& x, const Variable& gain, real eps) {
  expect_defined("rms_norm", x, gain);
  expect_features("rms_norm", "gain", x, gain);
  expect_eps("rms_norm", eps);
  const kernel::Normalized n = kernel::rms_norm(x.value(), gain.value(), eps);
  const Saved X(x), G(gain), inverse(n.inverse, "rms_norm");
  return record("rms_norm", n.y,
                Edge{x, [X, G, inverse](const Tensor& dy) { return kernel::rms_norm_backward_x(X, inverse, G, dy); }},
                Edge{gain, [X, inverse](const Tensor& dy) { return kernel::norm_backward_gain(X, Tensor(), inverse, dy); }});
}

}  // namespace graft
