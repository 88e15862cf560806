// LSTM (Hochreiter & Schmidhuber 1997; forget gates Gers et al. 2000), laid out as torch.nn.LSTM: gates i, f, g, o; two biases.
#pragma once
#include "nn/interfaces.h"

namespace graft {

/// i, f, o = σ(W x + b + U h + c), g = tanh(…);   c' = f·c + i·g;   h' = o·tanh(c').      x (B, T, in) -> (B, T, H) or (B, T, 2H)
struct Lstm : RowMap {
  /// Parameters are weight_ih_l{k}, weight_hh_l{k}, bias_ih_l{k}, bias_hh_l{k} and, for the reverse, the same + "_reverse".
  Lstm(Index in, Index hidden, Index layers, bool bidirectional);
  ~Lstm() override;
  void initialize(Rng& rng);  ///< U(-1/√H, 1/√H), as torch
  std::string kind() const override;
  Variable operator()(const Variable& x) override;

  const Index in, hidden, layers;
  const bool bidirectional;

 private:
  struct Direction;
  Variable run(const Variable& x, const Direction& d, bool backwards) const;
  std::vector<std::unique_ptr<Direction>> directions_;
};

}  // namespace graft
