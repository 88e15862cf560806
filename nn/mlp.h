// The two feed-forward nets of transformers, each a residual branch from rows to rows: norm, widen, activate, narrow.
#pragma once
#include <string>

#include "nn/interfaces.h"

namespace graft {

/// An elementwise function by its name in Hugging Face configurations: gelu_new, gelu, relu, silu, tanh, ...
using Activation = Variable (*)(const Variable&);
Activation activation(const std::string& name);  ///< Errors: ValueError lists the known ones

/// x ↦ down(f(up(norm(x))))      GPT-2
struct Mlp : RowMap {
  Slot<RowMap> norm;
  Slot<Projection> up, down;
  Slot<RowMap> drop;
  Activation f;

  Mlp(Index dim, Index hidden, std::unique_ptr<RowMap> norm, Activation f, bool bias, real dropout);
  std::string kind() const override;
  Variable operator()(const Variable& x) override;
};

/// x ↦ down(f(gate(norm(x)))·up(norm(x)))      Llama; Shazeer 2020, "GLU variants improve transformer"
struct GatedMlp : RowMap {
  Slot<RowMap> norm;
  Slot<Projection> gate, up, down;
  Activation f;

  GatedMlp(Index dim, Index hidden, std::unique_ptr<RowMap> norm, Activation f, bool bias);
  std::string kind() const override;
  Variable operator()(const Variable& x) override;
};

}  // namespace graft
