// One matrix product shared among threads: each computes a band of the result's longer side with Eigen's GEMM,
// piece by piece. (On its own, Eigen packs one operand along that whole side: 60 MB for a vocabulary of 50257.)
#pragma once
#include "autograd/cpu/parallel.h"
#include "autograd/eigen.h"

namespace graft::kernel {

enum class Write { over, add };  // y = a·b, or y += a·b

/// a (M, K) and b (K, N) are maps or their transposes; y (M, N).
template <class A, class B>
void product(const A& a, const B& b, Eigen::Map<EigenMatrix> y, Write write = Write::over) {
  constexpr Index piece = 2048;  // packing the other operand again for each piece costs less than 1/1000
  const bool by_rows = y.rows() >= y.cols();
  const auto assign = [write](auto part, const auto& ab) {
    if (write == Write::add) part.noalias() += ab;
    else part.noalias() = ab;
  };
  for_numbers(std::max(y.rows(), y.cols()), flops(2 * a.cols() * std::min(y.rows(), y.cols())), [&](Index begin, Index end) {
    for (Index i = begin; i < end; i += piece) {
      const Index n = std::min(piece, end - i);
      if (by_rows) assign(y.middleRows(i, n), a.middleRows(i, n) * b);
      else assign(y.middleCols(i, n), a * b.middleCols(i, n));
    }
  });
}

}  // namespace graft::kernel
