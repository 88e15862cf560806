// OLoRA: Büyükakyüz 2024, "OLoRA: orthonormal low-rank adaptation of large language models". LoRA that starts from the first r
// columns of Q and rows of R in W = Q·R, with the rest of W as its frozen base (section 3; s as in PEFT):
//     A = R_r      B = Q_r      base W - s·B·A
// PEFT decomposes what the model stores. GPT-2 stores Wᵀ = Q·R, so there the base is W - s·R_rᵀ·Q_rᵀ, and A = Q_rᵀ, B = R_rᵀ
// here. (PEFT starts from A = R_r, B = Q_r all the same, which fits square matrices only, and does not add up to W.)
#pragma once
#include "peft/pissa.h"

namespace graft::peft {

/// transposed: Wᵀ = Q·R. r ends at min(in, out). Errors: ValueError as LoraGroup::start().
void start_olora(const LoraGroup& group, const std::string& name, bool transposed);

}  // namespace graft::peft
