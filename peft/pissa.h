// PiSSA: Meng et al. 2024, "PiSSA: principal singular values and singular vectors adaptation". LoRA that starts from the r
// largest singular directions of W = U·S·Vᵀ, with the rest of W as its frozen base:
//     A = √(S_r/s)·V_rᵀ      B = U_r·√(S_r/s)      base W - s·B·A      (eqs. 2 to 4; /s as in PEFT)
// The base's change is a variant of its weight, so detach gives W back. Files hold it as plain LoRA of rank 2r over W.
#pragma once
#include "peft/lora.h"

namespace graft::peft {

/// Errors: ValueError for a packed weight: it cannot hold the rest; quantize after training, or take another start.
void start_pissa(Projection& base, LoraPair& pair, const Selection& selection, const std::string& name);

}  // namespace graft::peft
