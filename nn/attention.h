// Causal self-attention with a cache: softmax(scale·Q·Kᵀ + mask)·V (Vaswani et al. 2017), with fewer key heads than query
// heads if requested (grouped queries, Ainslie et al. 2023) and rotary positions (Su et al. 2021).
#pragma once
#include "nn/interfaces.h"

namespace graft {

struct AttentionSizes {
  Index dim;       ///< D of the residual stream
  Index heads;     ///< H
  Index kv_heads;  ///< G: H/G query heads share a key head
  Index head_dim;  ///< d
  bool qkv_bias = false, out_bias = false;
  Tensor frequencies;  ///< (d/2), see rotary_frequencies(); empty: no rotation
  real scale = 0;      ///< 0: 1/√d
  real dropout = 0;    ///< after the output projection. (None on the probabilities: the fused kernel never holds them.)
};

struct Attention : Module {
  Slot<Projection> q, k, v, out;
  Slot<RowMap> drop;
  AttentionSizes sizes;

  explicit Attention(const AttentionSizes& sizes);
  std::string kind() const override;
  /// x (B, T, D) -> (B, T, D); positions (B, T). Appends its keys and values to past, whose rows have these lengths.
  Variable operator()(const Variable& x, const Ids& positions, KeyValue& past, const std::vector<Index>& lengths, Index capacity);
};

}  // namespace graft
