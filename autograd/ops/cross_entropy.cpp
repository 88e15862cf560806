// Cross-entropy of rows of logits. Saved: the logits and one log-sum-exp per row.
#include "autograd/kernels.h"
#include "autograd/ops.h"
#include "autograd/ops/check.h"
#include "autograd/ops/loss.h"
#include "autograd/sizes.h"

namespace graft {

std::vector<real> row_weights(const char* op, const Shape& rows, const Ids& labels, Index V, const Reduction& reduction) {
  const Index N = rows.rows();
  expect(rows.rank() >= 1 && labels.numel() == N, op, ": ", rows, " has ", N, " rows but labels ", labels.shape(), " are ",
         labels.numel(), "; one label per row");
  expect(reduction.weights.empty() || size_of(reduction.weights) == N, op, ": ", reduction.weights.size(),
         " weights for ", N, " rows");
  Index scored = 0;
  for (Index i = 0; i < N; ++i) {
    if (labels[i] == ignored) continue;
    expect<IndexError>(labels[i] >= 0 && labels[i] < V, op, ": label ", labels[i], " of row ", i, " is neither in [0, ", V,
                       ") nor ", ignored, " (ignored)");
    ++scored;
  }
  expect<ValueError>(scored > 0 || !reduction.weights.empty(), op, ": all ", N, " labels are ignored (", ignored,
                     "), so there is no mean; leave out such a batch");
  std::vector<real> weights(static_cast<std::size_t>(N), 0);
  for (Index i = 0; i < N; ++i)
    if (labels[i] != ignored)
      weights[i] = reduction.weights.empty() ? real(1) / static_cast<real>(scored) : reduction.weights[i];
  return weights;
}

/// L = Σᵢ wᵢ(log Σⱼ e^xᵢⱼ - xᵢ[labelᵢ])      ∂xᵢⱼ = ∂L·wᵢ(softmax(xᵢ)ⱼ - [j = labelᵢ])
Variable cross_entropy(const Variable& logits, const Ids& labels, const Reduction& reduction) {
  expect_defined("cross_entropy", logits);
  const Index V = logits.shape().cols();
  const std::vector<real> weights = row_weights("cross_entropy", logits.shape(), labels, V, reduction);
  const kernel::Scored scored = kernel::cross_entropy(logits.value(), labels, weights);
  return record("cross_entropy", Tensor(Shape{}, scored.loss),
                Edge{logits, [X = Saved(logits), lse = Saved(scored.lse, "cross_entropy"), labels, weights](const Tensor& dy) {
                       return kernel::cross_entropy_backward(X, labels, weights, lse, dy.item());
                     }});
}

}  // namespace graft
