// P-tuning v2: Liu et al. 2022, "P-tuning v2: prompt tuning can be comparable to fine-tuning universally across scales and
// tasks". Its core is prefix.h's: trained keys and values before every layer. What differs (sections 3.2, 3.3, and its code):
//   no reparametrization by default; dropout of 0.1 on the prompts; and it is for understanding, not generation: a linear head
//   reads the answer, one per sequence (Classifier) or one per token (TokenClassifier), instead of label words.
// In files it is prefix tuning (PEFT has no other type).
#pragma once
#include "peft/prefix.h"

namespace graft::peft {

struct PTuningV2 : PrefixTuning {
  PTuningV2() { length = 20, dropout = real(0.1); }  // its scripts take 8 to 128
  std::string kind() const override { return "P-tuning v2"; }
  static std::vector<MethodRow> rows();
  /// Errors: as PrefixTuning, and ValueError on a model without a classification head.
  void graft(const BaseModel& base, const std::string& name, Rng& rng) const override {
    expect<ValueError>(base.score != nullptr, "P-tuning v2: ", base.model.kind(),
                       " has no classification head; put a Classifier around it, or take prefix tuning to generate");
    PrefixTuning::graft(base, name, rng);
  }
};

}  // namespace graft::peft
