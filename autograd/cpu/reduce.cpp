// Sums. Blocks of fixed size are summed first and then added up, so the result does not depend on the thread count.
#include <vector>

#include "autograd/cpu/repeats.h"
#include "autograd/kernels.h"

namespace graft::kernel {
namespace {
using In = Eigen::Map<const EigenArray>;
using Out = Eigen::Map<EigenArray>;
}  // namespace

real total(const Tensor& x) {
  constexpr Index block = 4096;
  const Index blocks = (x.numel() + block - 1) / block;
  std::vector<double> sums(static_cast<std::size_t>(blocks));
  for_range(blocks, block, [&](Index b, Index end) {
    for (; b < end; ++b) sums[b] = In(x.data() + b * block, std::min(block, x.numel() - b * block)).sum();
  });
  double sum = 0;
  for (const double s : sums) sum += s;
  return static_cast<real>(sum);
}

Tensor sum_axis(const Tensor& x, int axis) {
  const Index outer = x.shape().outer(axis), length = x.dim(axis), inner = x.shape().inner(axis);
  Tensor y(x.shape().without(axis), 0);
  real* out = y.write();
  const auto sum_one = [&](Index o, Index begin, Index end) {  // some columns at one outer index
    const real* in = x.data() + o * length * inner;
    sum_repeats(out + o * inner, length, begin, end, [=](Index r, Index at, Index n) { return In(in + r * inner + at, n); });
  };
  if (outer == 1 && inner > 1) {
    for_numbers(inner, length, [&](Index begin, Index end) { sum_one(0, begin, end); });
  } else {
    for_range(outer, length * inner, [&](Index o, Index end) {
      for (; o < end; ++o)
        if (inner == 1) out[o] = In(x.data() + o * length, length).sum();
        else sum_one(o, 0, inner);
    });
  }
  return y;
}

Tensor repeat_axis(const Tensor& dy, const Shape& shape, int axis, real factor) {
  const Index outer = shape.outer(axis), length = shape[axis], inner = shape.inner(axis);
  Tensor dx(shape);
  real* out = dx.write();
  for_range(outer, length * inner, [&](Index o, Index end) {
    for (; o < end; ++o)
      for (Index i = 0; i < length; ++i) Out(out + (o * length + i) * inner, inner) = factor * In(dy.data() + o * inner, inner);
  });
  return dx;
}

}  // namespace graft::kernel
