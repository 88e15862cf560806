#include "nn/attention.h"

#include "autograd/ops.h"
#include "nn/layers.h"

namespace graft {

Attention::Attention(const AttentionSizes& s)
    : q(*this, "q", std::make_unique<Linear>(s.dim, s.heads * s.head_dim, s.qkv_bias)),
      k(*this, "k", std::make_unique<Linear>(s.dim, s.kv_heads * s.head_dim, s.qkv_bias)),
      v(*this, "v", std::make_unique<Linear>(s.dim, s.kv_heads * s.head_dim, s.qkv_bias)),
      out(*this, "out", std::make_unique<Linear>(s.heads * s.head_dim, s.dim, s.out_bias)),
      drop(*this, "drop", s.dropout > 0 ? std::make_unique<Dropout>(s.dropout) : nullptr),
      sizes(s) {
  expect<ValueError>(s.kv_heads > 0 && s.heads % s.kv_heads == 0, "Attention: ", s.heads, " query heads cannot share ",
                     s.kv_heads, " key heads evenly; the first must be a multiple of the second");
}

std::string Attention::kind() const {
  const std::string groups = sizes.kv_heads == sizes.heads ? "" : text(" sharing ", sizes.kv_heads, " key heads");
  return text("Attention, ", sizes.heads, " heads of ", sizes.head_dim, groups, sizes.frequencies.defined() ? ", rotary" : "");
}

/// Q, K, V = q(x), k(x), v(x) cut into heads      O = softmax(scale·Q·[K_past; K]ᵀ + mask)·[V_past; V]      y = out(O)
Variable Attention::operator()(const Variable& x, const Ids& positions, KeyValue& past, const std::vector<Index>& lengths,
                               Index capacity) {
  Variable Q = split_heads(q(x), sizes.heads);     // (B, H, T, d)
  Variable K = split_heads(k(x), sizes.kv_heads);  // (B, G, T, d)
  Variable V = split_heads(v(x), sizes.kv_heads);
  if (sizes.frequencies.defined()) {
    Q = rotary(Q, positions, sizes.frequencies);
    K = rotary(K, positions, sizes.frequencies);
  }
  past.append(K, V, lengths, capacity);                                              // (B, G, past + T, d)
  const Variable O = causal_attention(Q, past.k(), past.v(), lengths, sizes.scale);  // query i sees keys <= past + i
  const Variable y = out(merge_heads(O));                                            // (B, T, D)
  return drop.empty() ? y : drop(y);
}

}  // namespace graft
