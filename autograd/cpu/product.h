// One matrix product shared among threads: each computes a band of the result's longer side by Eigen's GEMM on its own.
// (Eigen's own sharing packs the whole left operand at once: 60 MB beside a vocabulary of 50257.)
#pragma once
#include "autograd/cpu/parallel.h"
#include "autograd/eigen.h"

namespace graft::kernel {

enum class Write { over, add };  // y = a·b, or y += a·b

/// a (M, K) and b (K, N) are maps or their transposes; y (M, N).
template <class A, class B>
void product(const A& a, const B& b, Eigen::Map<EigenMatrix> y, Write write = Write::over) {
  const bool by_rows = y.rows() >= y.cols();
  for_numbers(std::max(y.rows(), y.cols()), flops(2 * a.cols() * std::min(y.rows(), y.cols())), [&](Index i, Index end) {
    const auto assign = [write](auto part, const auto& ab) {
      if (write == Write::add) part.noalias() += ab;
      else part.noalias() = ab;
    };
    if (by_rows) assign(y.middleRows(i, end - i), a.middleRows(i, end - i) * b);
    else assign(y.middleCols(i, end - i), a * b.middleCols(i, end - i));
  });
}

}  // namespace graft::kernel
