// Elementwise sums of many rows. Blocks of rows are summed separately, because a long running sum in float stops growing:
// 2e7 ones would give 1.7e7.
#pragma once
#include "autograd/cpu/parallel.h"
#include "autograd/eigen.h"

namespace graft::kernel {

/// y[begin, end) = Σ part(row, begin, n) over the rows; `part(row, at, n)` is n numbers of one row from column `at` on.
template <class Part>
void sum_repeats(real* y, Index rows, Index begin, Index end, const Part& part) {
  constexpr Index block = 128, strip = 1024;
  real buffer[strip];
  for (Index at = begin; at < end; at += strip) {
    const Index n = std::min(strip, end - at);
    Eigen::Map<EigenArray> total(y + at, n), sum(buffer, n);
    total.setZero();
    for (Index r0 = 0; r0 < rows; r0 += block) {
      sum.setZero();
      for (Index r = r0; r < std::min(r0 + block, rows); ++r) sum += part(r, at, n);
      total += sum;
    }
  }
}

}  // namespace graft::kernel
