// The confusion matrix of a classifier: how often each class was predicted for each.
#pragma once
#include <string>
#include <vector>

#include "autograd/real.h"

namespace graft::train {

class Confusion {
 public:
  /// Errors: ValueError for lists of different lengths, none at all; IndexError for a class that is not among labels.
  Confusion(const std::vector<Index>& right, const std::vector<Index>& predicted, std::vector<std::string> labels);

  Index count(Index right, Index predicted) const;
  double accuracy() const;
  double majority() const;    ///< the accuracy of always predicting the most frequent class
  double macro_f1() const;    ///< the mean over classes of 2·tp/(2·tp + fp + fn); 0 if it neither occurs nor is predicted
  std::string table() const;  ///< rows are true classes, columns predictions

 private:
  std::vector<std::string> labels_;
  std::vector<Index> counts_;  // (right, predicted)
  Index all_ = 0;
};

}  // namespace graft::train
