// Decompositions of matrices, as values without history (cpu/linalg.cpp).
#pragma once
#include "autograd/tensor.h"

namespace graft {

/// W = U·diag(S)·Vᵀ, thin: W (m, n), U (m, k), S (k) falling, Vᵀ (k, n) with k = min(m, n). Signs of pairs are free.
struct Svd {
  Tensor U, S, Vt;
};
Svd singular_values(const Tensor& W);  ///< Errors: ShapeError unless W is a matrix

}  // namespace graft
