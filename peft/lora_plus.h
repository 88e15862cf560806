// LoRA+: Hayou et al. 2024, "LoRA+: efficient low rank adaptation of large models". An optimizer setting, not a layer: B learns
// faster than A. Its experiments find a ratio of 2⁴ good; PEFT has no default.
#pragma once
#include "peft/lora.h"

namespace graft::peft {

/// B and everything of rank 1: `ratio`; A and the rest: 1 (as PEFT). Errors: ValueError for a ratio below 1.
std::vector<RateGroup> lora_plus(const BaseModel& base, const std::string& name, real ratio = 16);

/// LoRA that passes this ratio to the optimizer's groups.
struct LoraPlus : Lora {
  real ratio = 16;
  std::vector<RateGroup> rates(const BaseModel& base, const std::string& name) const override {
    return lora_plus(base, name, ratio);
  }
};

}  // namespace graft::peft
