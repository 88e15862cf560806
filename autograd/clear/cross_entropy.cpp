// Cross-entropy, row by row through log_softmax.
#include <cmath>

#include "autograd/clear.h"

namespace graft::clear {

/// L = -Σᵢ wᵢ·log softmax(xᵢ)[labelᵢ]
real cross_entropy(const Tensor& logits, const Ids& labels, const std::vector<real>& weights) {
  const Tensor logp = log_softmax(logits);
  double loss = 0;
  for (Index r = 0; r < logits.rows(); ++r)
    if (weights[r] != 0) loss -= double(weights[r]) * logp[r * logits.cols() + labels[r]];
  return static_cast<real>(loss);
}

/// ∂xᵢⱼ = wᵢ(softmax(xᵢ)ⱼ - [j = labelᵢ])
Tensor cross_entropy_backward(const Tensor& logits, const Ids& labels, const std::vector<real>& weights) {
  const Tensor p = softmax(logits);
  Tensor dlogits(logits.shape(), 0);
  real* out = dlogits.write();
  const Index V = logits.cols();
  for (Index r = 0; r < logits.rows(); ++r) {
    if (weights[r] == 0) continue;
    // forward: L -= w·log softmax(x)[label]
    for (Index j = 0; j < V; ++j) out[r * V + j] = weights[r] * (p[r * V + j] - (j == labels[r] ? 1 : 0));
  }
  return dlogits;
}

}  // namespace graft::clear
