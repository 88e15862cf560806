// Dropout. The mask is a pure function of one key drawn from the Rng, so backward regenerates it instead of storing it.
#include "autograd/kernels.h"
#include "autograd/ops.h"
#include "autograd/ops/check.h"

namespace graft {

/// y = x·mask/(1 - p)      ∂x = ∂y·mask/(1 - p)
Variable dropout(const Variable& x, real p, Rng& rng) {
  expect_defined("dropout", x);
  expect<ValueError>(p >= 0 && p < 1, "dropout: p is ", p, ", but must be in [0, 1); p is the fraction dropped");
  if (p == 0) return x;
  const std::uint64_t key = rng.next();
  return record("dropout", kernel::dropout(x.value(), p, key),
                Edge{x, [p, key](const Tensor& dy) { return kernel::dropout(dy, p, key); }});
}

}  // namespace graft
