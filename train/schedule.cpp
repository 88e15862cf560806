#include "train/schedule.h"

#include <algorithm>
#include <cmath>

#include "autograd/errors.h"

namespace graft::train {

double Schedule::operator()(Index step) const {
  expect<ValueError>(std::isfinite(rate) && rate >= 0, "schedule: a learning rate of ", rate);
  expect<ValueError>(warmup >= 0 && warmup <= steps, "schedule: a warm-up of ", warmup, " steps in a training of ", steps);
  if (step < warmup) return rate * static_cast<double>(step) / static_cast<double>(warmup);
  if (curve == Curve::constant) return rate;
  const double left = static_cast<double>(std::max<Index>(0, steps - step));
  const double all = static_cast<double>(std::max<Index>(1, steps - warmup));
  if (curve == Curve::linear) return rate * left / all;
  return rate * (1 - std::cos(3.14159265358979323846 * left / all)) / 2;  // 1 + cos(π(1 - u)) = 1 - cos(πu)
}

Index warmup_steps(double warmup, Index steps) {
  expect<ValueError>(std::isfinite(warmup) && warmup >= 0, "schedule: a warm-up of ", warmup);
  const double all = static_cast<double>(steps);
  return static_cast<Index>(std::min(all, warmup < 1 ? std::ceil(warmup * all) : std::floor(warmup)));
}

}  // namespace graft::train
