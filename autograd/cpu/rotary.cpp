// Rotary position embedding: sines and cosines once per position, then one rotation per pair of features.
#include <cmath>
#include <vector>

#include "autograd/cpu/parallel.h"
#include "autograd/kernels.h"

namespace graft::kernel {

Tensor rotary(const Tensor& x, const Ids& positions, const Tensor& frequencies, int direction) {
  const Index B = x.dim(0), H = x.dim(1), T = x.dim(2), D = x.dim(3), half = D / 2;
  std::vector<real> cosines(static_cast<std::size_t>(positions.numel() * half)), sines(cosines.size());
  for_range(positions.numel(), 32 * half, [&](Index p, Index end) {
    for (; p < end; ++p)
      for (Index j = 0; j < half; ++j) {
        const real angle = static_cast<real>(positions[p]) * frequencies[j];
        cosines[p * half + j] = std::cos(angle);
        sines[p * half + j] = std::sin(angle) * static_cast<real>(direction);
      }
  });
  Tensor y(x.shape());
  real* out = y.write();
  const bool per_row = positions.shape().rank() == 2;
  for_range(B * H * T, 2 * D, [&](Index row, Index end) {
    for (; row < end; ++row) {
      const Index b = row / (H * T), t = row % T;
      const real* c = cosines.data() + (per_row ? b * T + t : t) * half;
      const real* s = sines.data() + (per_row ? b * T + t : t) * half;
      const real *low = x.data() + row * D, *high = low + half;
      real* to = out + row * D;
      for (Index j = 0; j < half; ++j) {
        to[j] = low[j] * c[j] - high[j] * s[j];
        to[half + j] = high[j] * c[j] + low[j] * s[j];
      }
    }
  });
  return y;
}

}  // namespace graft::kernel
