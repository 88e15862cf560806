#include "nn/evaluate.h"

#include <algorithm>
#include <cmath>

#include "autograd/sizes.h"

namespace graft {

double Evaluation::perplexity() const { return std::exp(mean()); }

Evaluation evaluate(Model& model, const std::vector<Id>& ids, Index window,
                    const std::function<void(Index done, Index all)>& progress) {
  const Index all = size_of(ids);
  const Evaluating no_dropout(model);
  if (window == 0) window = model.free_positions();
  expect<ValueError>(window >= 2, "evaluate: a window of ", window, " tokens leaves nothing to predict; at least 2 are needed");
  expect<ValueError>(all >= 2, "evaluate: the text has ", all, " tokens, but the first is not scored; at least 2 are needed");
  const NoGrad no_grad;
  Evaluation result;
  for (Index begin = 0; begin < all; begin += window) {
    const Index T = std::min(window, all - begin);
    if (T < 2) break;  // one token is left, and a window's first token is not scored
    const std::vector<Id> part(ids.begin() + begin, ids.begin() + begin + T);
    std::vector<Id> wanted(part);
    wanted[0] = ignored;  // given, not predicted
    const Templated batch = model.prompt_template(Batch{Ids({1, T}, part), Ids({1, T}, std::move(wanted))});
    Past past = model.begin(1);
    const Variable x = model.hidden(batch, past);  // (1, T', D)
    const Index length = batch.ids.shape()[1], D = x.dim(-1);
    const Variable rows = reshape(x, {length, D});
    const Ids labels = next_labels(batch.labels);
    constexpr Index chunk = 128;  // rows of logits that exist at a time
    for (Index at = 0; at < length; at += chunk) {
      const Index n = std::min(chunk, length - at);
      const std::vector<Id> next(labels.begin() + at, labels.begin() + at + n);
      const Index scored = n - static_cast<Index>(std::count(next.begin(), next.end(), ignored));
      if (scored == 0) continue;
      const Variable logits = model.output()(slice(rows, 0, at, at + n));
      result.sum += cross_entropy(logits, Ids({n}, next)).item() * static_cast<double>(scored);
      result.tokens += scored;
    }
    if (progress) progress(begin + T, all);
  }
  if (progress && all % window == 1) progress(all, all);  // one token was left over
  expect<ValueError>(std::isfinite(result.sum), "evaluate: the log-likelihood is ", -result.sum,
                     "; the weights are damaged, or too large to compute with");
  return result;
}

}  // namespace graft
