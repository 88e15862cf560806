// Layer and RMS normalisation. Mean and variance in two passes over a row that is in cache.
#include "autograd/cpu/parallel.h"
#include "autograd/eigen.h"
#include "autograd/kernels.h"

namespace graft::kernel {
namespace {
using In = Eigen::Map<const EigenArray>;
using Out = Eigen::Map<EigenArray>;
Shape per_row(const Tensor& x) { return Shape{x.rows()}; }
}  // namespace

Normalized layer_norm(const Tensor& x, const Tensor& gain, const Tensor& bias, real eps) {
  Normalized n{Tensor(x.shape()), Tensor(per_row(x)), Tensor(per_row(x))};
  real *y = n.y.write(), *mean = n.mean.write(), *inverse = n.inverse.write();
  const Index D = x.cols();
  const In g(gain.data(), D), b(bias.data(), D);
  for_range(x.rows(), 4 * D, [&](Index r, Index end) {
    for (; r < end; ++r) {
      const In row(x.data() + r * D, D);
      mean[r] = row.sum() / static_cast<real>(D);
      inverse[r] = 1 / std::sqrt((row - mean[r]).square().sum() / static_cast<real>(D) + eps);
      Out(y + r * D, D) = (row - mean[r]) * inverse[r] * g + b;
    }
  });
  return n;
}

Normalized rms_norm(const Tensor& x, const Tensor& gain, real eps) {
  Normalized n{Tensor(x.shape()), Tensor(), Tensor(per_row(x))};
  real *y = n.y.write(), *inverse = n.inverse.write();
  const Index D = x.cols();
  const In g(gain.data(), D);
  for_range(x.rows(), 4 * D, [&](Index r, Index end) {
    for (; r < end; ++r) {
      const In row(x.data() + r * D, D);
      inverse[r] = 1 / std::sqrt(row.square().sum() / static_cast<real>(D) + eps);
      Out(y + r * D, D) = row * inverse[r] * g;
    }
  });
  return n;
}

NormGradients norm_backward(const Tensor& x, const Tensor& mean, const Tensor& inverse, const Tensor& gain, const Tensor& dy,
                            std::array<bool, 3> wanted) {
  const Index N = x.rows(), D = x.cols();
  const bool want_x = wanted[0], want_gain = wanted[1], want_bias = wanted[2];
  NormGradients n{want_x ? Tensor(x.shape()) : Tensor(), Tensor(), Tensor()};
  real* dx = want_x ? n.dx.write() : nullptr;
  const In g(gain.data(), D);

  // Sums over rows: first within parts of 64 rows, whatever the number of threads, then over the parts in order.
  const Tagged scratch(Category::temporary);
  constexpr Index part_rows = 64;
  const Index parts = (N + part_rows - 1) / part_rows;
  Tensor dgain(Shape{want_gain ? parts : 0, D}, 0), dbias(Shape{want_bias ? parts : 0, D}, 0);
  real *pgain = dgain.write(), *pbias = dbias.write();
  const auto row_gradient = [&](Index part, Index r) {
    const In row(x.data() + r * D, D), d(dy.data() + r * D, D);
    const real s = inverse[r], m = mean.defined() ? mean[r] : 0;
    if (want_x) {
      const real mean_g = mean.defined() ? (d * g).sum() / static_cast<real>(D) : 0;  // an RMS norm subtracts no mean
      const real mean_gx = s * (d * g * (row - m)).sum() / static_cast<real>(D);
      Out(dx + r * D, D) = s * (d * g - mean_g - (row - m) * (s * mean_gx));
    }
    if (want_gain) Out(pgain + part * D, D) += d * (row - m) * s;
    if (want_bias) Out(pbias + part * D, D) += d;
  };
  for_range(parts, 8 * D * part_rows, [&](Index part, Index end) {
    for (; part < end; ++part)
      for (Index r = part * part_rows; r < std::min(N, (part + 1) * part_rows); ++r) row_gradient(part, r);
  });
  if (want_gain) n.dgain = sum_to(dgain, Shape{D});
  if (want_bias) n.dbias = sum_to(dbias, Shape{D});
  return n;
}

}  // namespace graft::kernel
