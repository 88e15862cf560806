// Adafactor: Shazeer & Stern 2018, "Adafactor: adaptive learning rates with sublinear memory cost". Of a matrix's second moments only
// the row and column means are kept: n + m numbers instead of 2·n·m. As transformers' Adafactor with relative_step=False,
// scale_parameter=False, beta1=None, as Lester et al. 2021 trained with, at a rate of 0.3.
#pragma once
#include "train/optimizer.h"

namespace graft::train {

/// β_t = 1 - t^-0.8      R ← β_t·R + (1 - β_t)·mean over columns (g² + eps), C likewise over rows
/// u = g/√(R·Cᵀ/mean(R))  (of a vector g/√V)      u ← u/max(1, rms(u)/clip)      w ← w - rate·decay·w - rate·u
struct Adafactor : Optimizer {
  real eps = real(1e-30), clip = 1, decay_rate = real(-0.8), decay = 0;
  using Optimizer::Optimizer;

 protected:
  void update(const std::string& path, Tensor& w, const Tensor& g, real rate, bool decays) override;
  std::map<std::string, Shape> kept(const Shape& w) const override;
};

}  // namespace graft::train
