// Products by Eigen's blocked GEMM (or OpenBLAS with GRAFT_BLAS). One large product is split among threads by bands; a batch
// is split by product.
#include "autograd/cpu/product.h"
#include "autograd/kernels.h"

namespace graft::kernel {
namespace {

using In = Eigen::Map<const EigenMatrix>;
using Out = Eigen::Map<EigenMatrix>;

Shape last_axis(const Shape& shape, Index size) { return shape.with(-1, size); }

/// product(a, b, y) for each matrix of the batch.
template <class Product>
Tensor batched(const Tensor& a, const Tensor& b, Index M, Index N, const Product& product) {
  Tensor y(a.shape().with(-2, M).with(-1, N));
  real* out = y.write();
  const Index ra = a.dim(-2), ca = a.dim(-1), rb = b.dim(-2), cb = b.dim(-1);
  const Index batch = a.shape().outer(a.rank() - 2);
  const auto one = [&](Index i) {
    product(In(a.data() + i * ra * ca, ra, ca), In(b.data() + i * rb * cb, rb, cb), Out(out + i * M * N, M, N));
  };
  for_range(batch, flops(2 * ra * ca * N), [&](Index i, Index end) {
    for (; i < end; ++i) one(i);
  });
  return y;
}

}  // namespace

Tensor multiply_nt(const Tensor& a, const Tensor& b) {
  Tensor y(last_axis(a.shape(), b.dim(0)));
  product(matrix(a), matrix(b).transpose(), matrix_out(y));
  return y;
}

Tensor multiply_nt(const Tensor& a, const Tensor& b, const Tensor& bias) {
  Tensor y(last_axis(a.shape(), b.dim(0)));
  const Index N = y.cols();
  real* out = y.write();
  for_range(y.rows(), N, [&](Index r, Index end) {
    for (; r < end; ++r) std::copy_n(bias.data(), N, out + r * N);
  });
  product(matrix(a), matrix(b).transpose(), Out(out, y.rows(), N), Write::add);
  return y;
}

Tensor multiply_nn(const Tensor& a, const Tensor& b) {
  Tensor y(last_axis(a.shape(), b.dim(1)));
  product(matrix(a), matrix(b), matrix_out(y));
  return y;
}

Tensor multiply_tn(const Tensor& a, const Tensor& b) {
  Tensor y(Shape{a.cols(), b.cols()});
  product(matrix(a).transpose(), matrix(b), matrix_out(y));
  return y;
}

Tensor batched_nn(const Tensor& a, const Tensor& b) {
  return batched(a, b, a.dim(-2), b.dim(-1), [](const In& a, const In& b, Out y) { y.noalias() = a * b; });
}
Tensor batched_nt(const Tensor& a, const Tensor& b) {
  return batched(a, b, a.dim(-2), b.dim(-2), [](const In& a, const In& b, Out y) { y.noalias() = a * b.transpose(); });
}
Tensor batched_tn(const Tensor& a, const Tensor& b) {
  return batched(a, b, a.dim(-1), b.dim(-1), [](const In& a, const In& b, Out y) { y.noalias() = a.transpose() * b; });
}

}  // namespace graft::kernel
