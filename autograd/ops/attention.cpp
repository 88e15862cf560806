// Causal attention as one op. Saved: Q, K, V, O and one log-sum-exp per query; the scores are recomputed in backward.
#include "autograd/kernels.h"
#include "autograd/ops.h"
#include "autograd/ops/check.h"
#include "autograd/sizes.h"

#include <cmath>

namespace graft {
namespace {

std::vector<Index> past_of(const Variable& Q, const Variable& K, const std::vector<Index>& past) {
  const Index B = Q.dim(0), T = Q.dim(2), S = K.dim(2);
  if (past.empty()) {
    expect(S >= T, "causal_attention: ", T, " queries but only ", S, " keys; each query has a key of its own");
    return std::vector<Index>(static_cast<std::size_t>(B), S - T);
  }
  expect(size_of(past) == B, "causal_attention: past has ", past.size(), " lengths for a batch of ", B);
  for (std::size_t b = 0; b < past.size(); ++b)
    expect<IndexError>(past[b] >= 0 && past[b] + T <= S, "causal_attention: row ", b, " has ", past[b], " past keys and ", T,
                       " queries, but K ", K.shape(), " has room for ", S, " keys");
  return past;
}

void expect_heads(const Variable& Q, const Variable& K, const Variable& V) {
  expect_defined("causal_attention", Q, K, V);
  expect(Q.shape().rank() == 4 && K.shape().rank() == 4 && K.shape() == V.shape(), "causal_attention: Q ", Q.shape(), ", K ",
         K.shape(), ", V ", V.shape(), " must be (B, H, T, D), (B, G, S, D), (B, G, S, D)");
  expect(Q.dim(0) == K.dim(0) && Q.dim(3) == K.dim(3) && K.dim(1) > 0 && Q.dim(1) % K.dim(1) == 0, "causal_attention: Q ",
         Q.shape(), " and K ", K.shape(), " must share B and D, and the heads of Q must be a multiple of those of K");
}

}  // namespace

/// P = softmax(scale·Q·Kᵀ + mask)     O = P·V
/// ∂V = Pᵀ·∂O     ∂S = P·(∂O·Vᵀ - rowsum(∂O·O))     ∂Q = scale·∂S·K     ∂K = scale·∂Sᵀ·Q
Variable causal_attention(const Variable& Q, const Variable& K, const Variable& V, const std::vector<Index>& past, real scale) {
  expect_heads(Q, K, V);
  const std::vector<Index> lengths = past_of(Q, K, past);
  if (scale == 0) scale = 1 / std::sqrt(static_cast<real>(Q.dim(3)));
  const kernel::Attended f = kernel::attention(Q.value(), K.value(), V.value(), lengths, scale);
  return record_joint("causal_attention", f.O, {Q, K, V},
                      [Q = Saved(Q), K = Saved(K), V = Saved(V), O = Saved(f.O), lse = Saved(f.lse, "causal_attention"),
                       lengths, scale](const Tensor& dO, const std::vector<bool>&) -> std::vector<Tensor> {
                        const auto [dQ, dK, dV] = kernel::attention_backward(Q, K, V, lengths, scale, {O, lse}, dO);
                        return {dQ, dK, dV};
                      });
}

}  // namespace graft
