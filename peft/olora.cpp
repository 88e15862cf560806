#include "peft/olora.h"

#include <algorithm>
#include <cmath>

#include "autograd/kernels.h"
#include "autograd/sizes.h"

namespace graft::peft {
namespace {

/// Qᵀ (r, m) for the first r columns of M (m, n), by Householder's reflections. As in LAPACK, which PEFT has it from, a column of
/// which nothing is left below its place is not reflected: that decides what q is where columns are 0.
Tensor orthonormal(const Tensor& M, Index r) {
  const Index m = M.rows(), n = M.cols();
  std::vector<double> V(static_cast<std::size_t>(r * m)), tau(static_cast<std::size_t>(r)), x(static_cast<std::size_t>(m));
  const auto reflect = [&](Index k, double* y) {  // y - τ·v·(v·y)
    const double* v = V.data() + k * m;
    double along = 0;
    for (Index i = k; i < m; ++i) along += v[i] * y[i];
    for (Index i = k; i < m; ++i) y[i] -= nth(tau, k) * along * v[i];
  };
  for (Index k = 0; k < r; ++k) {
    for (Index i = 0; i < m; ++i) nth(x, i) = static_cast<double>(M.data()[i * n + k]);
    for (Index j = 0; j < k; ++j) reflect(j, x.data());
    const double* at = x.data() + k;
    double below = 0;
    for (Index i = 1; i < m - k; ++i) below += at[i] * at[i];
    if (below == 0) continue;
    const double length = -std::copysign(std::sqrt(at[0] * at[0] + below), at[0]);
    nth(tau, k) = (length - at[0]) / length;
    double* v = V.data() + k * m + k;
    v[0] = 1;
    for (Index i = 1; i < m - k; ++i) v[i] = at[i] / (at[0] - length);
  }
  Tensor T(Shape{r, m});
  real* to = T.write();
  for (Index k = 0; k < r; ++k, to += m) {
    std::fill(x.begin(), x.end(), 0);
    nth(x, k) = 1;
    for (Index j = k; j >= 0; --j) reflect(j, x.data());
    for (Index i = 0; i < m; ++i) to[i] = static_cast<real>(nth(x, i));
  }
  return T;
}

Tensor transposed_of(const Tensor& M) {
  Tensor T(Shape{M.cols(), M.rows()});
  real* to = T.write();
  for (Index i = 0; i < M.rows(); ++i)
    for (Index j = 0; j < M.cols(); ++j) to[j * M.rows() + i] = M.data()[i * M.cols() + j];
  return T;
}

}  // namespace

void start_olora(const LoraGroup& group, const std::string& name, bool transposed) {
  const Tensor W = group.weight("OLoRA"), M = transposed ? transposed_of(W) : W;
  const Tensor Qt = orthonormal(M, group.pairs[0]->A.shape()[0]), R = kernel::multiply_nn(Qt, M);  // R_r = Q_rᵀ·M
  group.start(transposed ? Qt : R, transposed ? transposed_of(R) : transposed_of(Qt), name);
}

}  // namespace graft::peft
