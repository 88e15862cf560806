// Cross-entropy of head(x) in chunks of rows, so that the full logits never exist. A loss is one number: its gradients are
// those for ∂L = 1 times ∂L, so each chunk's backward is done in the forward pass, while its logits exist.
#include <algorithm>
#include <limits>

#include "autograd/kernels.h"
#include "autograd/ops.h"
#include "autograd/ops/check.h"
#include "autograd/ops/loss.h"
#include "autograd/sizes.h"

namespace graft {
namespace {
Tensor times(const Tensor& unit, const Tensor& dy) { return dy.item() == 1 ? unit : kernel::scale(unit, dy.item()); }
}  // namespace

/// L = cross_entropy(x·Wᵀ)      ∂x = ∂logits·W      ∂W = ∂logitsᵀ·x
Variable linear_cross_entropy(const Variable& x, const Variable& W, const Ids& labels, const Reduction& reduction) {
  const char* const op = "linear_cross_entropy";
  expect_defined(op, x, W);
  expect(W.shape().rank() == 2 && x.shape().rank() >= 1 && x.dim(-1) == W.dim(1), op, ": x has shape ", x.shape(), " but W ",
         W.shape(), "; logits = x·Wᵀ with W (vocabulary, features)");
  const std::vector<real> weights = row_weights(op, x.shape(), labels, W.dim(0), reduction);
  const bool want_dx = x.learns() && recording(), want_dW = W.learns() && recording();
  const kernel::LinearScored scored = kernel::linear_cross_entropy(x.value(), W.value(), labels, weights, want_dx, want_dW);
  return record(op, Tensor(Shape{}, scored.loss),
                Edge{x, [dx = Saved(scored.dx, op)](const Tensor& dy) { return times(dx, dy); }},
                Edge{W, [dW = Saved(scored.dW, op)](const Tensor& dy) { return times(dW, dy); }});
}

/// The same for any head: each chunk of rows has its own graph, walked back at once to the rows and to everything that the
/// head uses.
Variable cross_entropy_by_rows(const Variable& x, const Ids& labels, const Head& head, const Reduction& reduction,
                               Index chunk) {
  const char* const op = "cross_entropy_by_rows";
  expect_defined(op, x);
  expect<ValueError>(head != nullptr, op, ": the head is empty; give a function from rows to logits");
  expect<ValueError>(chunk >= 1, op, ": chunks of ", chunk, " rows requested, but a chunk needs at least 1");
  expect(x.shape().rank() >= 1 && labels.numel() == x.shape().rows(), op, ": x ", x.shape(), " has ", x.shape().rows(),
         " rows but labels ", labels.shape(), " are ", labels.numel());
  // Only scored rows go through the head. Its width is known after the first chunk, so labels are checked there.
  const std::vector<real> weights = row_weights(op, x.shape(), labels, std::numeric_limits<Id>::max(), reduction);
  std::vector<Index> scored;
  for (Index i = 0; i < labels.numel(); ++i)
    if (labels[i] != ignored) scored.push_back(i);

  const Index D = x.shape().cols();
  real loss = 0;
  Tensor dx;
  if (x.learns() && recording()) dx = Tensor(x.shape(), 0);
  std::vector<NodeGradient> beyond;  // what the head uses, with the gradients so far
  for (std::size_t begin = 0; begin < scored.size(); begin += static_cast<std::size_t>(chunk)) {
    const std::size_t end = std::min(scored.size(), begin + static_cast<std::size_t>(chunk));
    const Index rows = static_cast<Index>(end - begin);
    Tensor part(Shape{rows, D});
    std::vector<Id> part_labels;
    Reduction part_weights;
    real* out = part.write();
    for (std::size_t i = begin; i < end; ++i) {
      std::copy_n(x.value().data() + scored[i] * D, D, out + static_cast<Index>(i - begin) * D);
      part_labels.push_back(labels[scored[i]]);
      part_weights.weights.push_back(nth(weights, scored[i]));
    }
    const Variable leaf(part, std::make_shared<Node>("rows", part.shape(), Node::State::leaf, dx.defined()));
    const std::uint64_t boundary = next_sequence();
    const Variable logits = head(leaf);
    for (std::size_t i = begin; i < end && logits.defined(); ++i)
      expect<IndexError>(labels[scored[i]] < logits.shape().cols(), op, ": label ", labels[scored[i]], " of row ", scored[i],
                         " is neither in [0, ", logits.shape().cols(), ") nor ", ignored, " (ignored)");
    const Variable part_loss = cross_entropy(logits, Ids({rows}, std::move(part_labels)), part_weights);
    loss += part_loss.item();
    if (!part_loss.learns()) continue;
    for (auto& [node, grad] : backward_to(part_loss, Tensor(Shape{}, 1), boundary)) {
      if (node == leaf.node()) {
        real* to = dx.write();
        for (std::size_t i = begin; i < end; ++i)
          std::copy_n(grad.data() + static_cast<Index>(i - begin) * D, D, to + scored[i] * D);
        continue;
      }
      const auto known = std::find_if(beyond.begin(), beyond.end(), [n = node](const NodeGradient& a) { return a.node == n; });
      if (known == beyond.end()) beyond.push_back({node, std::move(grad)});
      else accumulate(known->grad, std::move(grad));
    }
  }

  std::vector<Variable> inputs{x};
  std::vector<Saved> gradients{Saved(dx, op)};
  for (auto& [node, grad] : beyond) {
    grad.retag(Category::saved, op);  // allocated as temporary, but kept until backward
    inputs.emplace_back(Tensor(), node);
    gradients.emplace_back(grad, op);
  }
  return record_joint(op, Tensor(Shape{}, loss), inputs, [gradients](const Tensor& dy, const std::vector<bool>& learns) {
    std::vector<Tensor> all(gradients.size());
    for (std::size_t i = 0; i < all.size(); ++i)
      if (learns[i]) all[i] = times(gradients[i], dy);
    return all;
  });
}

}  // namespace graft
