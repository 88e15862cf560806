// Normalisation over the last axis. Saved: x, and two numbers per row; x̂ = (x - mean)·inverse is recomputed in backward.
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
  return record_joint(
      "layer_norm", n.y, {x, gain, bias},
      [X = Saved(x), G = Saved(gain), mean = Saved(n.mean, "layer_norm"), inverse = Saved(n.inverse, "layer_norm")](
          const Tensor& dy, const std::vector<bool>& learns) -> std::vector<Tensor> {
        const auto n = kernel::norm_backward(X, mean, inverse, G, dy, {learns[0], learns[1], learns[2]});
        return {n.dx, n.dgain, n.dbias};
      });
}

/// y = x̂·gain, x̂ = x/√(mean(x²) + eps)
/// ∂gain = Σ_rows ∂y·x̂     ∂x = inverse·(g - x̂·mean(g·x̂)),  g = ∂y·gain
Variable rms_norm(const Variable& x, const Variable& gain, real eps) {
  expect_defined("rms_norm", x, gain);
  expect_features("rms_norm", "gain", x, gain);
  expect_eps("rms_norm", eps);
  const kernel::Normalized n = kernel::rms_norm(x.value(), gain.value(), eps);
  return record_joint("rms_norm", n.y, {x, gain},
                      [X = Saved(x), G = Saved(gain), inverse = Saved(n.inverse, "rms_norm")](
                          const Tensor& dy, const std::vector<bool>& learns) -> std::vector<Tensor> {
                        const auto n = kernel::norm_backward(X, Tensor(), inverse, G, dy, {learns[0], learns[1], false});
                        return {n.dx, n.dgain};
                      });
}

}  // namespace graft
