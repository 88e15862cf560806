// Bottleneck adapters: a small two-layer net beside or behind a sublayer, h the sublayer's output, x the residual stream:
//     houlsby     h + U·f(D·h)        behind attention and behind the MLP     Houlsby et al. 2019, section 2.1
//     after_mlp   h + U·f(D·(h + x))  behind the MLP only                     Pfeiffer et al. 2021; AdapterHub's seq_bn
//     parallel    h + s·U·f(D·x)      beside the MLP                          He et al. 2022; AdapterHub's par_bn
// AdapterHub's seq_bn feeds the net with h + x, not h; the released code of Houlsby with h, before the residual is added.
// Where the model has dropout at the end of its MLP, the net comes after that, as in AdapterHub.
#pragma once
#include "nn/mlp.h"
#include "peft/method.h"
#include "peft/wrapper.h"

namespace graft::peft {

struct BottleneckAdapter : Method {
  enum class Form { houlsby, after_mlp, parallel };
  Form form = Form::houlsby;
  Index size = 0;  ///< m, the width of the bottleneck; 0: D/reduction
  Index reduction = 16;
  std::string activation;  ///< "": silu for houlsby and relu for the others, as AdapterHub; the paper's code has gelu
  real scale = 1;          ///< s; AdapterHub's parallel form has 4
  /// near_identity: all N(0, 1e-3), as the released code (the paper's text says 1e-2); bert: N(0, 0.02), AdapterHub's
  /// default; zero_up: D as U(±1/√D), U = 0 (He et al.), which adds exactly 0 at first. Biases are 0.
  enum class Init { near_identity, bert, zero_up };
  Init init = Init::near_identity;
  bool layer_norms = false;  ///< the norms of the blocks are trained too, as in the paper

  static std::vector<MethodRow> rows();
  std::string kind() const override { return "Adapter"; }
  void graft(const BaseModel& base, const std::string& name, Rng& rng) const override;
};

/// v ↦ s·U·f(D·v)      D (m, dim), U (dim, m), both with bias: 2·dim·m + m + dim numbers
struct Bottleneck {
  Param down, down_bias, up, up_bias;
  Activation f;
  real scale;
  bool reads_residual, reads_output;  ///< v = x, h, or h + x

  Bottleneck(Module& owner, const std::string& name, Index dim, Index size, Activation f, real scale, bool x, bool h);
  Variable operator()(const Variable& h, const Variable& x) const;
};

/// Behind a projection (attention's output).
struct AdaptedProjection : ProjectionWrapper<Bottleneck> {
  using ProjectionWrapper::ProjectionWrapper;
  std::string method() const override { return "Adapter"; }
  Variable operator()(const Variable& x) override;
};
/// Behind or beside a branch of the residual stream (the MLP with its norm).
struct AdaptedBranch : NamedWrapper<RowMap, Bottleneck> {
  using NamedWrapper::NamedWrapper;
  std::string method() const override { return "Adapter"; }
  Variable operator()(const Variable& x) override;
};

}  // namespace graft::peft
