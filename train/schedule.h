// How the learning rate changes over a training: up during warm-up, then constant, or down along a line or a cosine.
#pragma once
#include "autograd/real.h"

namespace graft::train {

/// The rate of step s = 0, 1, …, as transformers' get_…_schedule_with_warmup:
///     s < warmup     rate · s/warmup
///     constant       rate
///     linear         rate · (steps - s)/(steps - warmup)
///     cosine         rate · (1 + cos(π·(s - warmup)/(steps - warmup)))/2      Loshchilov & Hutter 2017, eq. 5
struct Schedule {
  enum class Curve { constant, linear, cosine };
  Curve curve = Curve::cosine;
  double rate = 1e-3;
  Index steps = 1000;  ///< where linear and cosine reach 0
  Index warmup = 0;

  double operator()(Index step) const;  ///< Errors: ValueError unless 0 <= warmup <= steps and the rate is finite and >= 0
};

/// How many steps of warm-up a word of the command line means, as transformers' TrainingArguments.get_warmup_steps():
///     warmup < 1     ⌈warmup · steps⌉, a share of all
///     otherwise      ⌊warmup⌋; more than `steps` are `steps`
/// Errors: ValueError unless warmup is finite and >= 0
Index warmup_steps(double warmup, Index steps);

}  // namespace graft::train
