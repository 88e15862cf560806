#include "autograd/compare.h"

#include <cmath>

#include "autograd/ops.h"
#include "autograd/sizes.h"

namespace graft {

real largest_difference(const Tensor& a, const Tensor& b) {
  expect(a.shape() == b.shape(), "largest_difference: shapes ", a.shape(), " and ", b.shape(), " differ");
  real most = 0;
  for (Index i = 0; i < a.numel(); ++i) {
    const real d = std::abs(a[i] - b[i]);
    if (std::isnan(d)) return d;
    if (d > most) most = d;
  }
  return most;
}

Ids argmax(const Tensor& x) {
  expect(x.rank() >= 1 && x.cols() > 0, "argmax: there is no largest number along the last axis of ", x.shape());
  std::vector<Id> all;
  for (Index row = 0; row < x.rows(); ++row) {
    const real* numbers = x.data() + row * x.cols();
    Index best = 0;
    for (Index i = 0; i < x.cols(); ++i) {
      expect<ValueError>(!std::isnan(numbers[i]), "argmax: number ", i, " of row ", row, " is NaN");
      if (numbers[i] > numbers[best]) best = i;
    }
    all.push_back(static_cast<Id>(best));
  }
  return Ids(x.shape().without(-1), std::move(all));
}

double accuracy(const Tensor& scores, const Ids& right) {
  const Ids said = argmax(scores);
  expect(said.numel() == right.numel(), "accuracy: scores ", scores.shape(), " are for ", said.numel(), " rows, but ", right.numel(),
         " right answers are given");
  Index hits = 0, counted = 0;
  for (Index row = 0; row < said.numel(); ++row) {
    if (right[row] == ignored) continue;
    expect<IndexError>(right[row] >= 0 && right[row] < scores.cols(), "accuracy: the right answer of row ", row, " is ", right[row],
                       ", but there are scores for 0 to ", scores.cols() - 1);
    ++counted;
    if (said[row] == right[row]) ++hits;
  }
  expect<ValueError>(counted > 0, "accuracy: no row has a right answer");
  return static_cast<double>(hits) / static_cast<double>(counted);
}

}  // namespace graft
