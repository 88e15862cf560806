// The inner loop of AdamW: one pass over a parameter, its gradient and its two moments.
#include <cmath>

#include "autograd/cpu/parallel.h"
#include "autograd/kernels.h"

namespace graft::kernel {

void adam(real* w, const real* g, real* m, real* v, Index n, const AdamStep& a) {
  for_numbers(n, 12, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      m[i] += (1 - a.beta1) * (g[i] - m[i]);
      v[i] = a.beta2 * v[i] + (1 - a.beta2) * g[i] * g[i];
      w[i] = w[i] * a.shrink - a.rate * (m[i] / (std::sqrt(v[i]) / a.root + a.eps));
    }
  });
}

}  // namespace graft::kernel
