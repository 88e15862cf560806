// Products, one multiplication at a time.
#include "autograd/clear.h"

namespace graft::clear {

Tensor multiply_nt(const Tensor& a, const Tensor& b) {
  const Index M = a.rows(), K = a.cols(), N = b.dim(0);
  Tensor y(a.shape().with(-1, N));
  real* out = y.write();
  for (Index i = 0; i < M; ++i)
    for (Index j = 0; j < N; ++j) {
      double sum = 0;
      for (Index k = 0; k < K; ++k) sum += double(a[i * K + k]) * b[j * K + k];
      out[i * N + j] = static_cast<real>(sum);
    }
  return y;
}

Tensor multiply_nn(const Tensor& a, const Tensor& b) {
  const Index M = a.rows(), K = a.cols(), N = b.dim(1);
  Tensor y(a.shape().with(-1, N));
  real* out = y.write();
  for (Index i = 0; i < M; ++i)
    for (Index j = 0; j < N; ++j) {
      double sum = 0;
      for (Index k = 0; k < K; ++k) sum += double(a[i * K + k]) * b[k * N + j];
      out[i * N + j] = static_cast<real>(sum);
    }
  return y;
}

Tensor multiply_tn(const Tensor& a, const Tensor& b) {
  const Index R = a.rows(), M = a.cols(), N = b.cols();
  Tensor y(Shape{M, N});
  real* out = y.write();
  for (Index i = 0; i < M; ++i)
    for (Index j = 0; j < N; ++j) {
      double sum = 0;
      for (Index r = 0; r < R; ++r) sum += double(a[r * M + i]) * b[r * N + j];
      out[i * N + j] = static_cast<real>(sum);
    }
  return y;
}

}  // namespace graft::clear
