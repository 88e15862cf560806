// (IA)³: Liu et al. 2022, "Few-shot parameter-efficient fine-tuning is better and cheaper than in-context learning", eq. 1:
//     k ↦ l_k·k      v ↦ l_v·v      down(h) ↦ down(l_ff·h)      vectors l of ones at first
// On GPT-2, PEFT targets the whole fused c_attn, so that q is scaled too; outputs = {"q", "k", "v"} does the same here.
#pragma once
#include "peft/method.h"
#include "peft/wrapper.h"

namespace graft::peft {

struct Ia3 : Method {
  std::vector<std::string> outputs{"k", "v"};  ///< projections whose output is scaled, bias included
  std::vector<std::string> inputs{"down"};     ///< projections whose input is scaled
  std::vector<std::string> also;               ///< paths of modules trained in full: "norm" (PEFT: modules_to_save)

  static std::vector<MethodRow> rows();
  std::string kind() const override { return "IA3"; }
  void graft(const BaseModel& base, const std::string& name, Rng& rng) const override;
};

struct Ia3Scales {
  Param l;  ///< (in) or (out)
  bool at_input;
};

struct Ia3Linear : ProjectionWrapper<Ia3Scales> {
  using ProjectionWrapper::ProjectionWrapper;
  std::string method() const override { return "IA3"; }
  Variable operator()(const Variable& x) override;
  Tensor merged_weight(const Ia3Scales& scales) const override;  ///< rows, or columns, of W times l
  Tensor merged_bias(const Ia3Scales& scales) const override;
  Ia3Scales& add(const std::string& name, bool at_input);

 private:
  Variable scaled(const Variable& x, bool at_input) const;
};

}  // namespace graft::peft
