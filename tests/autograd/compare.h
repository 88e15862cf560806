// How far two lists of numbers are apart. Used by the tests that compare with PyTorch, with the clear versions, and 1 with 2
// threads.
#pragma once
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "autograd/tensor.h"

namespace graft::table {

inline std::vector<double> numbers(const Tensor& t) {
  std::vector<double> v;
  for (Index i = 0; i < t.numel(); ++i) v.push_back(static_cast<double>(t.data()[i]));
  return v;
}

/// ‖a - b‖ / max(‖b‖, floor): relative in the norm, because the rounding error of one component of a sum, a softmax or a
/// norm is that of its row, not its own. The floor is for answers that are exactly 0. Sizes or NaNs that differ: infinity.
inline double distance(const std::vector<double>& a, const std::vector<double>& b, double floor = 1e-2) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double apart = 0, size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) {
      if (std::isfinite(b[i])) size += b[i] * b[i];
      continue;
    }
    if (!std::isfinite(a[i]) || !std::isfinite(b[i])) return std::numeric_limits<double>::infinity();
    apart += (a[i] - b[i]) * (a[i] - b[i]);
    size += b[i] * b[i];
  }
  return std::sqrt(apart) / std::max(std::sqrt(size), floor);
}
inline double distance(const Tensor& a, const Tensor& b, double floor = 1e-2) {
  if (a.defined() != b.defined() || a.shape() != b.shape()) return std::numeric_limits<double>::infinity();
  return distance(numbers(a), numbers(b), floor);
}

}  // namespace graft::table
