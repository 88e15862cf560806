// Products with packed matrices: panels of rows are unpacked into scratch memory that fits a core's cache and multiplied
// there. A few rows of x (decoding) are multiplied with the packed numbers directly.
#include "autograd/packed.h"

#include <algorithm>

#include "autograd/cpu/parallel.h"
#include "autograd/eigen.h"

namespace graft {
namespace {

using In = Eigen::Map<const EigenMatrix>;
using Row = Eigen::Map<const EigenArray>;

constexpr Index panel_numbers = 160 * 1024;  // 640 kB of floats: fits a level-2 cache with the rows of x

Index panel_rows(const PackedMatrix& W) {
  return std::clamp<Index>(panel_numbers / std::max<Index>(W.cols(), 1) / 16 * 16, 16, 256);
}

Tensor scratch(Index rows, Index cols) {
  const Tagged temporary(Category::temporary);
  return Tensor(Shape{rows, cols});
}

}  // namespace

void PackedMatrix::multiply_few(const real* x, Index n, Index first, Index count, real* y, Index stride) const {
  Tensor row = scratch(1, cols_);
  for (Index r = first; r < first + count; ++r) {
    unpack(r, 1, row.write());
    for (Index i = 0; i < n; ++i) y[i * stride + r] = (Row(x + i * cols_, cols_) * Row(row.data(), cols_)).sum();
  }
}

Tensor dense(const PackedMatrix& W) {
  Tensor y(Shape{W.rows(), W.cols()});
  real* out = y.write();
  kernel::for_range(W.rows(), W.cols(), [&](Index r, Index end) { W.unpack(r, end - r, out + r * W.cols()); });
  return y;
}

namespace kernel {

Tensor packed_nt(const Tensor& x, const PackedMatrix& W) {
  const Index n = x.rows(), N = W.rows(), K = W.cols(), rows = panel_rows(W);
  Tensor y(x.shape().with(-1, N));
  real* out = y.write();
  if (n <= PackedMatrix::few) {
    for_range(N, K + flops(2 * n * K), [&](Index r, Index end) { W.multiply_few(x.data(), n, r, end - r, out, N); });
    return y;
  }
  Eigen::Map<EigenMatrix> Y(out, n, N);
  for_range(N, flops(2 * n * K), [&](Index r, Index end) {
    Tensor panel = scratch(std::min(rows, end - r), K);
    for (; r < end; r += rows) {
      const Index count = std::min(rows, end - r);
      W.unpack(r, count, panel.write());
      Y.middleCols(r, count).noalias() = matrix(x) * In(panel.data(), count, K).transpose();
    }
  });
  return y;
}

Tensor packed_nn(const Tensor& dy, const PackedMatrix& W) {
  const Index n = dy.rows(), N = W.rows(), K = W.cols(), rows = panel_rows(W);
  Tensor dx(dy.shape().with(-1, K), 0);
  Eigen::Map<EigenMatrix> DX(dx.write(), n, K);
  Tensor panel = scratch(std::min(rows, N), K);
  for (Index first = 0; first < N; first += rows) {
    const Index count = std::min(rows, N - first);
    real* numbers = panel.write();
    for_range(count, K, [&](Index r, Index end) { W.unpack(first + r, end - r, numbers + r * K); });
    for_numbers(K, flops(2 * n * count), [&](Index c, Index end) {
      DX.middleCols(c, end - c).noalias() += matrix(dy).middleCols(first, count) * In(numbers, count, K).middleCols(c, end - c);
    });
  }
  return dx;
}

Tensor packed_rows(const PackedMatrix& W, const Ids& ids) {
  std::vector<Index> sizes(ids.shape().begin(), ids.shape().end());
  sizes.push_back(W.cols());
  Tensor y{Shape(sizes)};
  real* out = y.write();
  for_range(ids.numel(), W.cols(), [&](Index i, Index end) {
    for (; i < end; ++i) W.unpack(ids[i], 1, out + i * W.cols());
  });
  return y;
}

}  // namespace kernel
}  // namespace graft
