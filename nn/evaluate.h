// How well a model predicts a text: the mean negative log-likelihood per predicted token.
#pragma once
#include <functional>
#include <vector>

#include "nn/model.h"

namespace graft {

struct Evaluation {
  double sum = 0;    ///< Σ -log p(token | those before), natural logarithm
  Index tokens = 0;  ///< how many were predicted
  double mean() const { return sum / static_cast<double>(tokens); }
  double perplexity() const;  ///< e^mean
};

/// One window if the ids fit into `window` (0: the model's context), otherwise windows one after another; the first token of
/// each is not scored. progress(done, all) after each window. Errors: ValueError for fewer than two ids.
Evaluation evaluate(Model& model, const std::vector<Id>& ids, Index window = 0,
                    const std::function<void(Index done, Index all)>& progress = {});

}  // namespace graft
