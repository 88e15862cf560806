#include "peft/olora.h"

#include <cmath>

#include "autograd/kernels.h"

namespace graft::peft {
namespace {

/// Qᵀ (r, m) for the first r columns of M (m, n), by Gram and Schmidt's way, each column twice for the sake of rounding. Signs are
/// free: Q_r·R_r does not depend on them.
Tensor orthonormal(const Tensor& M, Index r) {
  const Index m = M.rows(), n = M.cols();
  std::vector<double> Q(static_cast<std::size_t>(r * m));
  for (Index k = 0; k < r; ++k) {
    double* q = Q.data() + k * m;
    for (Index i = 0; i < m; ++i) q[i] = static_cast<double>(M.data()[i * n + k]);
    const auto dot = [&](const double* u, const double* v) {
      double sum = 0;
      for (Index i = 0; i < m; ++i) sum += u[i] * v[i];
      return sum;
    };
    for (Index j = 0; j < 2 * k; ++j) {
      const double* other = Q.data() + (j % k) * m;
      const double along = dot(other, q);
      for (Index i = 0; i < m; ++i) q[i] -= along * other[i];
    }
    const double norm = std::sqrt(dot(q, q));
    for (Index i = 0; i < m; ++i) q[i] = norm > 0 ? q[i] / norm : 0;  // a column that depends on others adds nothing
  }
  Tensor T(Shape{r, m});
  real* to = T.write();
  for (Index i = 0; i < r * m; ++i) to[i] = static_cast<real>(Q[static_cast<std::size_t>(i)]);
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
