// Products, one multiplication at a time.
#include "autograd/clear.h"

namespace graft::clear {
namespace {

/// yᵢⱼ = Σₖ a(i, k)·b(k, j) for i < M, j < N, k < K.
template <class A, class B>
Tensor product(const Shape& shape, Index M, Index N, Index K, const A& a, const B& b) {
  Tensor y(shape);
  real* out = y.write();
  for (Index i = 0; i < M; ++i)
    for (Index j = 0; j < N; ++j) {
      double sum = 0;
      for (Index k = 0; k < K; ++k) sum += double(a(i, k)) * b(k, j);
      out[i * N + j] = static_cast<real>(sum);
    }
  return y;
}

/// The element at (row, column) of a tensor seen as a matrix, and of its transpose.
auto plain(const Tensor& t) {
  return [&t](Index row, Index column) { return t[row * t.cols() + column]; };
}
auto transposed(const Tensor& t) {
  return [&t](Index row, Index column) { return t[column * t.cols() + row]; };
}

}  // namespace

Tensor multiply_nt(const Tensor& a, const Tensor& b) {
  return product(a.shape().with(-1, b.dim(0)), a.rows(), b.dim(0), a.cols(), plain(a), transposed(b));
}
Tensor multiply_nn(const Tensor& a, const Tensor& b) {
  return product(a.shape().with(-1, b.dim(1)), a.rows(), b.dim(1), a.cols(), plain(a), plain(b));
}
Tensor multiply_tn(const Tensor& a, const Tensor& b) {
  return product({a.cols(), b.cols()}, a.cols(), b.cols(), a.rows(), transposed(a), plain(b));
}

}  // namespace graft::clear
