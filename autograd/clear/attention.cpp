// Causal attention with the whole score matrix of each head in memory: the equations, one after another.
#include <algorithm>
#include <cmath>
#include <vector>

#include "autograd/clear.h"

namespace graft::clear {
namespace {

/// One head: rows of Q (T, D) against rows of K, V (S, D).
struct Head {
  const real *Q, *K, *V;
  Index T, D, past;
  double scale;

  Index keys(Index i) const { return past + i + 1; }  // query i sees keys 0 .. past + i
  double score(Index i, Index j) const {
    double dot = 0;
    for (Index d = 0; d < D; ++d) dot += double(Q[i * D + d]) * K[j * D + d];
    return scale * dot;
  }
  /// log Σⱼ e^score(i, j)
  double log_sum_exp(Index i) const {
    double most = score(i, 0), sum = 0;
    for (Index j = 1; j < keys(i); ++j) most = std::max(most, score(i, j));
    for (Index j = 0; j < keys(i); ++j) sum += std::exp(score(i, j) - most);
    return most + std::log(sum);
  }
};

struct Sizes {
  Index B, H, G, T, S, D;
  Sizes(const Tensor& Q, const Tensor& K) : B(Q.dim(0)), H(Q.dim(1)), G(K.dim(1)), T(Q.dim(2)), S(K.dim(2)), D(Q.dim(3)) {}
  Index query(Index b, Index h) const { return (b * H + h) * T; }          // first row of a head of Q
  Index key(Index b, Index h) const { return (b * G + h / (H / G)) * S; }  // and of the K and V it uses
};

}  // namespace

kernel::Attended attention(const Tensor& Q, const Tensor& K, const Tensor& V, const std::vector<Index>& past, real scale) {
  const Sizes z(Q, K);
  kernel::Attended f{Tensor(Q.shape()), Tensor(Shape{z.B, z.H, z.T})};
  real *O = f.O.write(), *lse = f.lse.write();
  for (Index b = 0; b < z.B; ++b)
    for (Index h = 0; h < z.H; ++h) {
      const Index row = z.query(b, h), key = z.key(b, h);
      const Head head{Q.data() + row * z.D, K.data() + key * z.D, V.data() + key * z.D, z.T, z.D, past[b], scale};
      for (Index i = 0; i < z.T; ++i) {
        const double total = head.log_sum_exp(i);
        std::vector<double> o(static_cast<std::size_t>(z.D), 0);
        for (Index j = 0; j < head.keys(i); ++j)
          for (Index d = 0; d < z.D; ++d) o[d] += std::exp(head.score(i, j) - total) * head.V[j * z.D + d];
        for (Index d = 0; d < z.D; ++d) O[(row + i) * z.D + d] = static_cast<real>(o[d]);
        lse[row + i] = static_cast<real>(total);
      }
    }
  return f;
}

/// ∂Vⱼ = Σᵢ Pᵢⱼ·∂Oᵢ    ∂Pᵢⱼ = ∂Oᵢ·Vⱼ    ∂Sᵢⱼ = Pᵢⱼ(∂Pᵢⱼ - Σₖ Pᵢₖ∂Pᵢₖ)    ∂Qᵢ = scale·Σⱼ ∂Sᵢⱼ·Kⱼ    ∂Kⱼ = scale·Σᵢ ∂Sᵢⱼ·Qᵢ
kernel::AttentionGradients attention_backward(const Tensor& Q, const Tensor& K, const Tensor& V, const std::vector<Index>& past,
                                              real scale, const Tensor& dO) {
  const Sizes z(Q, K);
  kernel::AttentionGradients g{Tensor(Q.shape(), 0), Tensor(K.shape(), 0), Tensor(V.shape(), 0)};
  real *dQ = g.dQ.write(), *dK = g.dK.write(), *dV = g.dV.write();
  for (Index b = 0; b < z.B; ++b)
    for (Index h = 0; h < z.H; ++h) {
      const Index row = z.query(b, h), key = z.key(b, h);
      const Head head{Q.data() + row * z.D, K.data() + key * z.D, V.data() + key * z.D, z.T, z.D, past[b], scale};
      for (Index i = 0; i < z.T; ++i) {
        const Index n = head.keys(i);
        const double total = head.log_sum_exp(i);
        std::vector<double> P(static_cast<std::size_t>(n)), dP(P.size(), 0);
        double inner = 0;
        for (Index j = 0; j < n; ++j) {
          P[j] = std::exp(head.score(i, j) - total);
          // forward: O[i] += P[j]·V[j]
          for (Index d = 0; d < z.D; ++d) dP[j] += double(dO[(row + i) * z.D + d]) * head.V[j * z.D + d];
          inner += P[j] * dP[j];
        }
        for (Index j = 0; j < n; ++j) {
          // forward: P[j] = e^(S[j] - log Σ e^S)
          const double dS = P[j] * (dP[j] - inner);
          for (Index d = 0; d < z.D; ++d) {
            // forward: S[j] = scale·Q[i]·K[j]
            dQ[(row + i) * z.D + d] += static_cast<real>(scale * dS * head.K[j * z.D + d]);
            dK[(key + j) * z.D + d] += static_cast<real>(scale * dS * head.Q[i * z.D + d]);
            // forward: O[i] += P[j]·V[j]
            dV[(key + j) * z.D + d] += static_cast<real>(P[j] * dO[(row + i) * z.D + d]);
          }
        }
      }
    }
  return g;
}

}  // namespace graft::clear
