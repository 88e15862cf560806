// Methods that change some of the model's own parameters and add none. All but full fine-tuning work on variants of them, so
// the base is unchanged, several can be switched, and detach restores it.
#pragma once
#include "peft/method.h"

namespace graft::peft {

/// BitFit: Ben Zaken et al. 2022. Trains all biases. Errors: ValueError on a model without any (Llama).
struct BitFit : Method {
  std::string kind() const override { return "BitFit"; }
  void graft(const BaseModel& base, const std::string& name, Rng& rng) const override;
};

/// Trains the weights and biases of all norms: Qi et al. 2022, "Parameter-efficient tuning on layer normalization".
struct LayerNormTuning : Method {
  std::string kind() const override { return "LayerNorm tuning"; }
  void graft(const BaseModel& base, const std::string& name, Rng& rng) const override;
};

/// Trains only the classifier's head. Errors: ValueError on a language model.
struct LinearProbe : Method {
  std::string kind() const override { return "linear probe"; }
  void graft(const BaseModel& base, const std::string& name, Rng& rng) const override;
};

/// Trains everything, in place: a copy of all weights would cost what the comparison is about. detach only restores what
/// was trainable; the weights stay as trained. Errors: ValueError if a weight is packed.
struct FullFineTuning : Method {
  std::string kind() const override { return "full fine-tuning"; }
  bool in_place() const override { return true; }
  void graft(const BaseModel& base, const std::string& name, Rng& rng) const override;
};

std::vector<MethodRow> tuning_rows();

}  // namespace graft::peft
