// Softmax over rows: the maximum is subtracted first, so that no exponential overflows.
#include "autograd/cpu/parallel.h"
#include "autograd/eigen.h"
#include "autograd/kernels.h"

namespace graft::kernel {
namespace {

using In = Eigen::Map<const EigenArray>;
using Out = Eigen::Map<EigenArray>;

/// f(y, x) or f(dx, y, dy) on each row.
template <class F>
Tensor by_rows(const Tensor& a, const F& f) {
  Tensor y(a.shape());
  real* out = y.write();
  const Index n = a.cols();
  for_range(a.rows(), 8 * n, [&](Index r, Index end) {
    for (; r < end; ++r) f(Out(out + r * n, n), r * n, n);
  });
  return y;
}

}  // namespace

Tensor softmax(const Tensor& x) {
  return by_rows(x, [&](Out y, Index at, Index n) {
    const In row(x.data() + at, n);
    y = (row - row.maxCoeff()).exp();
    y *= 1 / y.sum();
  });
}

Tensor softmax_backward(const Tensor& y, const Tensor& dy) {
  return by_rows(y, [&](Out dx, Index at, Index n) {
    const In p(y.data() + at, n), d(dy.data() + at, n);
    dx = p * (d - (p * d).sum());
  });
}

Tensor log_softmax(const Tensor& x) {
  return by_rows(x, [&](Out y, Index at, Index n) {
    const In row(x.data() + at, n);
    const real most = row.maxCoeff();
    y = (row - most) - std::log((row - most).exp().sum());  // large numbers are subtracted first: they may cancel exactly
  });
}

Tensor log_softmax_backward(const Tensor& y, const Tensor& dy) {
  return by_rows(y, [&](Out dx, Index at, Index n) {
    const In logp(y.data() + at, n), d(dy.data() + at, n);
    dx = d - logp.exp() * d.sum();
  });
}

}  // namespace graft::kernel
