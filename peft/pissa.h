// PiSSA: Meng et al. 2024, "PiSSA: principal singular values and singular vectors adaptation". LoRA that starts from the r
// largest singular directions of W = U·S·Vᵀ, with the rest of W as its frozen base:
//     A = √(S_r/s)·V_rᵀ      B = U_r·√(S_r/s)      base W - s·B·A      (eqs. 2 to 4; /s as in PEFT)
// W has min(in, out) directions at most; a larger r is cut to that, as in PEFT, with the s of the r that was asked for.
// The base's change is a variant of its weight, so detach gives W back. Files hold it as plain LoRA of rank 2r over W.
#pragma once
#include "peft/lora.h"

namespace graft::peft {

/// Projections that share an A, one below the other one matrix W (GPT-2's q, k and v if they are fused), or a single one.
struct LoraGroup {
  std::vector<LoraLinear*> wrappers;
  std::vector<LoraPair*> pairs;

  Tensor weight(const std::string& method) const;  ///< W. Errors: as start()
  /// A and B are the start, and the bases go without s·B·A from now on, as variants `name` of their weights.
  /// Errors: ValueError for a packed weight: it cannot hold the rest; quantize after training, or take another start.
  void start(const Tensor& A, const Tensor& B, const std::string& name) const;
};

/// Errors: ValueError as LoraGroup::start(), and for s <= 0.
void start_pissa(const LoraGroup& group, const std::string& name);

}  // namespace graft::peft
