// DoRA: Liu et al. 2024, "DoRA: weight-decomposed low-rank adaptation". Direction by LoRA, magnitude by a number per output.
//     W' = m·(W₀ + s·B·A)/‖W₀ + s·B·A‖      the norm over inputs, one per output, as the authors' code; eq. 5 has W transposed
// In backward the norm is a constant (section 4.3). Costs one dense W per forward pass; LoRA does not.
#pragma once
#include "peft/lora.h"

namespace graft::peft {

/// The holder of W₀ and b₀ for the name whose rows are computed. In a batch of several names a wrapper in between would give
/// those of the first row; it is skipped, since it does not hold this name.
template <class T>
const T& below(const Slot<T>& base, const Selection& selection) {
  const T* at = &*base;
  if (selection.mixed())
    while (const auto* wraps = dynamic_cast<const Wraps<T>*>(at)) at = &*wraps->base;
  return *at;
}

/// m = ‖W₀ + s·B·A‖, so that W' = W₀ where B = 0.
void add_magnitude(LoraLinear& wrapper, const std::string& name);
/// y = (m/‖W‖)·(W₀x + s·B·A·x) + b₀, from W₀x + b₀ and s·B·A·x.
Variable dora(const Variable& base_y, const Variable& bax, const LoraLinear& wrapper, const LoraPair& pair);
Tensor row_norms(const Tensor& W);     ///< ‖W‖, one per output
Tensor column_norms(const Tensor& W);  ///< of a table (V, D): one norm per feature, over its rows
/// m·W/‖W‖, by rows.
Tensor with_magnitude(const Tensor& W, const Tensor& m);

}  // namespace graft::peft
