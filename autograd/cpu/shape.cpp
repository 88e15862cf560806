// Copying numbers from place to place.
#include <algorithm>

#include "autograd/cpu/parallel.h"
#include "autograd/kernels.h"

namespace graft::kernel {

void copy(const real* from, real* to, Index n) {
  for_numbers(n, 1, [=](Index begin, Index end) { std::copy(from + begin, from + end, to + begin); });
}

void fill(real* to, Index n, real value) {
  for_numbers(n, 1, [=](Index begin, Index end) { std::fill(to + begin, to + end, value); });
}

void copy_axis(const Tensor& from, Index from_at, Tensor& to, Index to_at, Index count, int axis) {
  const Index outer = from.shape().outer(axis), inner = from.shape().inner(axis);
  const Index from_step = from.shape()[axis] * inner, to_step = to.shape()[axis] * inner, band = count * inner;
  const real* in = from.data() + from_at * inner;
  real* out = to.write() + to_at * inner;
  for_range(outer, band, [=](Index o, Index end) {
    for (; o < end; ++o) std::copy_n(in + o * from_step, band, out + o * to_step);
  });
}

Tensor swap_heads(const Tensor& x) {
  const Index B = x.dim(0), M = x.dim(1), N = x.dim(2), D = x.dim(3);
  Tensor y(Shape{B, N, M, D});
  const real* in = x.data();
  real* out = y.write();
  for_range(B * N, M * D, [=](Index row, Index end) {
    for (; row < end; ++row) {
      const Index b = row / N, n = row % N;
      for (Index m = 0; m < M; ++m) std::copy_n(in + ((b * M + m) * N + n) * D, D, out + (row * M + m) * D);
    }
  });
  return y;
}

Tensor repeat(const Tensor& x, Index batch) {
  Tensor y(x.shape().before(batch));
  const Index n = x.numel();
  const real* in = x.data();
  real* out = y.write();
  for_range(batch, n, [=](Index b, Index end) {
    for (; b < end; ++b) std::copy_n(in, n, out + b * n);
  });
  return y;
}

}  // namespace graft::kernel
