// Matrix decompositions, as values without history (cpu/linalg.cpp).
#pragma once
#include "autograd/tensor.h"

namespace graft {

/// W = U·diag(S)·Vᵀ, thin: W (m, n), U (m, k), S (k) descending, Vᵀ (k, n), k = min(m, n). Each pair's sign is arbitrary.
struct Svd {
  Tensor U, S, Vt;
};
Svd singular_values(const Tensor& W);  ///< Errors: ShapeError unless W is a matrix

}  // namespace graft
