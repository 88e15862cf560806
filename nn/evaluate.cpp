#include "nn/evaluate.h"

#include <algorithm>
#include <cmath>

namespace graft {

double Evaluation::perplexity() const { return std::exp(mean()); }

Evaluation evaluate(Model& model, const std::vector<Id>& ids, Index window,
                    const std::function<void(Index done, Index all)>& progress) {
  const Index all = static_cast<Index>(ids.size());
  const Evaluating no_dropout(model);
  if (window == 0) {  // what a memory and a template take of the context is not left for the text
    const Ids one({1, 1}, {0});
    window = model.context() - model.memory->length() - (model.frame(Framed{one, one, {}}).ids.shape()[1] - 1);
  }
  expect<ValueError>(window >= 2, "evaluate: a window of ", window, " tokens leaves nothing to predict; at least 2 are needed");
  expect<ValueError>(all >= 2, "evaluate: the text has ", all, " tokens, but the first is not scored; at least 2 are needed");
  const NoGrad no_grad;
  Evaluation result;
  for (Index begin = 0; begin < all; begin += window) {
    const Index T = std::min(window, all - begin);
    if (T < 2) break;  // one token is left, and a window's first token is not scored
    const Ids user({1, T}, std::vector<Id>(ids.begin() + begin, ids.begin() + begin + T));
    const Framed framed = model.frame(Framed{user, user, {}});
    Past past = model.begin(1);
    const Variable x = model.hidden(framed.ids, past);  // (1, T', D)
    const Index length = framed.ids.shape()[1], D = x.dim(-1);
    const Variable rows = reshape(x, {length, D});
    // The user's first token is given, not predicted; virtual places have the label "ignored".
    std::vector<Id> scored_labels(framed.labels.begin(), framed.labels.end());
    const auto first = std::find_if(scored_labels.begin(), scored_labels.end(), [](Id label) { return label != ignored; });
    if (first != scored_labels.end()) *first = ignored;
    const Ids labels = next_labels(Ids(framed.labels.shape(), std::move(scored_labels)));
    constexpr Index chunk = 128;  // of the logits, only so many rows exist at a time
    for (Index at = 0; at < length; at += chunk) {
      const Index n = std::min(chunk, length - at);
      const std::vector<Id> part(labels.begin() + at, labels.begin() + at + n);
      const Index scored = n - static_cast<Index>(std::count(part.begin(), part.end(), ignored));
      if (scored == 0) continue;
      const Variable logits = model.output()(slice(rows, 0, at, at + n));
      result.sum += cross_entropy(logits, Ids({n}, part)).item() * static_cast<double>(scored);
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
