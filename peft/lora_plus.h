// LoRA+: Hayou et al. 2024, "LoRA+: efficient low rank adaptation of large models". An optimizer's choice, no layer: B learns
// faster than A. Its experiments find a ratio of 2⁴ good; PEFT has no default.
#pragma once
#include "peft/method.h"

namespace graft::peft {

/// Parameters and the factor on their learning rate.
struct RateGroup {
  std::vector<Param*> parameters;
  real factor;
};
/// B and everything of rank 1: `ratio`; A and the rest: 1 (as PEFT). Errors: ValueError for a ratio below 1.
std::vector<RateGroup> lora_plus(const BaseModel& base, const std::string& name, real ratio = 16);

}  // namespace graft::peft
