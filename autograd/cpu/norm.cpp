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

Tensor layer_norm_backward_x(const Tensor& x, const Tensor& mean, const Tensor& inverse, const Tensor& gain, const Tensor& dy) {
  Tensor dx(x.shape());
  real* out = dx.write();
  const Index D = x.cols();
  const In g(gain.data(), D);
  for_range(x.rows(), 8 * D, [&](Index r, Index end) {
    for (; r < end; ++r) {
      const In row(x.data() + r * D, D), d(dy.data() + r * D, D);
      const real s = inverse[r], m = mean[r];
      const real mean_g = (d * g).sum() / static_cast<real>(D);
      const real mean_gx = (d * g * (row - m)).sum() * s / static_cast<real>(D);
      Out(out + r * D, D) = s * (d * g - mean_g - (row - m) * (s * mean_gx));
    }
  });
  return dx;
}

Tensor rms_norm_backward_x(const Tensor& x, const Tensor& inverse, const Tensor& gain, const Tensor& dy) {
  Tensor dx(x.shape());
  real* out = dx.write();
  const Index D = x.cols();
  const In g(gain.data(), D);
  for_range(x.rows(), 8 * D, [&](Index r, Index end) {
    for (; r < end; ++r) {
      const In row(x.data() + r * D, D), d(dy.data() + r * D, D);
      const real s = inverse[r];
      const real mean_gx = (d * g * row).sum() * s / static_cast<real>(D);
      Out(out + r * D, D) = s * (d * g - row * (s * mean_gx));
    }
  });
  return dx;
}

Tensor norm_backward_gain(const Tensor& x, const Tensor& mean, const Tensor& inverse, const Tensor& dy) {
  const Index D = x.cols(), N = x.rows();
  Tensor dgain(Shape{D}, 0);
  real* out = dgain.write();
  for_range(D, 3 * N, [&](Index begin, Index end) {  // each thread owns a band of features
    Out sum(out + begin, end - begin);
    for (Index r = 0; r < N; ++r) {
      const In row(x.data() + r * D + begin, end - begin), d(dy.data() + r * D + begin, end - begin);
      sum += d * (row - (mean.defined() ? mean[r] : 0)) * inverse[r];
    }
  }, 16);
  return dgain;
}

}  // namespace graft::kernel
