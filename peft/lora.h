// To read first: clear/lora.h, one such projection in 15 lines.
// LoRA: Hu et al. 2021, "LoRA: low-rank adaptation of large language models". Trains a difference of rank r to a frozen W.
// Sources disagree on the start of A: the paper says Gaussian; its code (loralib) and PEFT take U(-1/√in, 1/√in). B = 0 in all.
// They disagree on alpha, too: the paper sets it to the first r tried, which is the default here; PEFT's is 8, whatever r is.
// On GPT-2's fused c_attn, loralib gives q and v an A each (the default here, as the paper); PEFT gives q, k, v one: `fused`.
// DoRA, PiSSA, OLoRA and LoRA+ are in dora.h, pissa.h, olora.h, lora_plus.h; LoRA of a table of embeddings is in lora_table.h.
#pragma once
#include <map>
#include <optional>

#include "peft/method.h"
#include "peft/wrapper.h"

namespace graft::peft {

struct Lora : Method {
  Index r = 8;                                 ///< rank; above min(in, out) it adds nothing, but is allowed, as in PEFT
  std::optional<real> alpha;                   ///< s = alpha/r; not given: alpha = r, so s = 1
  real dropout = 0;                            ///< on the input of A
  std::vector<std::string> targets{"q", "v"};  ///< ends of slot paths: q k v out up down gate head, embed, "layers.3.attn.q"
  enum class Init { kaiming, gaussian, pissa, olora };
  Init init = Init::kaiming;     ///< A: U(-1/√in, 1/√in); N(0, 1/r); or a part of W taken out of the base (pissa.h, olora.h)
  bool rank_stabilized = false;  ///< s = alpha/√r: Kalajdzievski 2023, "rsLoRA"
  bool dora = false;             ///< with magnitudes of their own (dora.h)
  bool fused = false;            ///< q, k, v of a layer share one A and one dropout mask
  bool bias = false;             ///< a bias with B: s·(B·A·x + b)
  enum class Biases { none, all, lora_only };
  Biases train_biases = Biases::none;         ///< the base's biases are trained too: all, or those of the targets
  std::vector<std::string> also;              ///< paths of modules trained in full: "norm" (PEFT: modules_to_save)
  bool as_one = false;                        ///< of `also`: a table and its head stay tied (ensure_weight_tying)
  std::map<std::string, Index> rank_pattern;  ///< other ranks for slots with these endings
  std::map<std::string, real> alpha_pattern;

  static std::vector<MethodRow> rows();
  std::string kind() const override { return dora ? "DoRA" : "LoRA"; }
  void graft(const BaseModel& base, const std::string& name, Rng& rng) const override;
  Index rank_of(const std::string& path) const;
  real scale_of(const std::string& path) const;  ///< s
  real usual_alpha() const { return alpha ? *alpha : static_cast<real>(r); }
};

/// What one name adds to one projection.
struct LoraPair {
  Param A;                         ///< (r, in)
  Param B;                         ///< (out, r)
  std::optional<Param> b;          ///< (out)
  std::optional<Param> magnitude;  ///< (out), DoRA only
  real scale;
  SharedDropout dropout;  ///< of x, before A; fused: one for q, k, v
  Tensor A0{}, B0{};  ///< PiSSA and OLoRA only: the start, which was taken out of the base
};

/// y = W₀x + b₀ + s·B·A·x      (eq. 3 of the paper, s = α/r)
struct LoraLinear : ProjectionWrapper<LoraPair> {
  using ProjectionWrapper::ProjectionWrapper;
  std::string method() const override { return "LoRA"; }
  Variable operator()(const Variable& x) override;
  Tensor merged_weight(const LoraPair& pair) const override;  ///< W₀ + s·B·A
  Tensor merged_bias(const LoraPair& pair) const override;    ///< b₀ + s·b

  /// A new pair, not initialized yet; A may be another projection's. Errors: ValueError for r < 1.
  LoraPair& add(const std::string& name, Index r, real scale, real dropout, bool bias, const Param* shared_A = nullptr);
};

}  // namespace graft::peft
