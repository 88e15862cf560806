// Values side by side: how far apart two tensors are, which number is the largest, how often that is the right one.
#pragma once
#include "autograd/tensor.h"

namespace graft {

/// max |a - b|; NaN if any number of either is NaN, or both are the same infinity. Errors: ShapeError
real largest_difference(const Tensor& a, const Tensor& b);
/// Along the last axis the place of the largest number, the first of several: (.., n) -> (..). Errors: ShapeError for rank 0 or
/// n = 0; ValueError for a row with NaN
Ids argmax(const Tensor& x);
/// The share of rows of scores (.., n) whose largest number stands at right[row]; rows whose right is `ignored` (-100) do not count.
/// Errors: as argmax(); ShapeError unless there is one for each row; IndexError for one that is not below n; ValueError if none counts
double accuracy(const Tensor& scores, const Ids& right);

}  // namespace graft
