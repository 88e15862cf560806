// Causal attention in blocks (Dao et al. 2022): a block of queries visits the blocks of keys one by one, and only one block
// of scores exists at a time. clear/attention.cpp computes the same with the whole score matrix.
#include <cmath>
#include <limits>

#include "autograd/cpu/parallel.h"
#include "autograd/eigen.h"
#include "autograd/kernels.h"

namespace graft::kernel {
namespace {

using In = Eigen::Map<const EigenMatrix>;
using Out = Eigen::Map<EigenMatrix>;
using RowIn = Eigen::Map<const EigenArray>;
using Row = Eigen::Map<EigenArray>;

constexpr Index query_block = 64, key_block = 128;

struct Sizes {
  Index B, H, G, T, S, D;
  Sizes(const Tensor& Q, const Tensor& K) : B(Q.dim(0)), H(Q.dim(1)), G(K.dim(1)), T(Q.dim(2)), S(K.dim(2)), D(Q.dim(3)) {}
};

/// How many of the keys first .. first + n query i may see.
Index visible(Index past, Index i, Index first, Index n) { return std::clamp<Index>(past + i + 1 - first, 0, n); }

}  // namespace

Attended attention(const Tensor& Q, const Tensor& K, const Tensor& V, const std::vector<Index>& past, real scale) {
  const Sizes z(Q, K);
  Attended f{Tensor(Q.shape()), Tensor(Shape{z.B, z.H, z.T})};
  real *pO = f.O.write(), *plse = f.lse.write();
  const Index blocks = (z.T + query_block - 1) / query_block;

  const auto block_of_queries = [&](Index b, Index h, Index i0, real* scores) {
    const Index row = (b * z.H + h) * z.T + i0, n = std::min(query_block, z.T - i0);
    const Index keys = (b * z.G + h / (z.H / z.G)) * z.S, end = past[b] + i0 + n;
    const In q(Q.data() + row * z.D, n, z.D);
    Out o(pO + row * z.D, n, z.D);
    EigenArray most = EigenArray::Constant(n, -std::numeric_limits<real>::infinity()), sum = EigenArray::Zero(n);
    for (Index j0 = 0; j0 < end; j0 += key_block) {
      const Index m = std::min(key_block, end - j0);
      Out P(scores, n, m);
      P.noalias() = q * In(K.data() + (keys + j0) * z.D, m, z.D).transpose();  // the scores (n, m)
      for (Index i = 0; i < n; ++i) {
        const Index v = visible(past[b], i0 + i, j0, m);
        Row p(P.data() + i * m, v), masked(P.data() + i * m + v, m - v);
        masked.setZero();
        if (v == 0) continue;
        const real before = most[i];
        most[i] = std::max(before, scale * (scale < 0 ? p.minCoeff() : p.maxCoeff()));
        p = (scale * p - most[i]).exp();
        const real rescale = std::exp(before - most[i]);  // the sums so far are relative to the old maximum
        sum[i] = sum[i] * rescale + p.sum();
        if (j0 > 0 && rescale != 1) o.row(i) *= rescale;
      }
      const In v(V.data() + (keys + j0) * z.D, m, z.D);
      if (j0 == 0) o.noalias() = P * v;
      else o.noalias() += P * v;
    }
    for (Index i = 0; i < n; ++i) o.row(i) *= 1 / sum[i];
    Row(plse + row, n) = most + sum.log();
  };

  for_range(z.B * z.H * blocks, flops(query_block * 2 * z.S * z.D), [&](Index task, Index end) {
    const Tagged scratch(Category::temporary);
    Tensor block(Shape{query_block, key_block});
    real* scores = block.write();
    for (; task < end; ++task) block_of_queries(task / blocks / z.H, task / blocks % z.H, task % blocks * query_block, scores);
  });
  return f;
}

AttentionGradients attention_backward(const Tensor& Q, const Tensor& K, const Tensor& V, const std::vector<Index>& past,
                                      real scale, const Attended& forward, const Tensor& dO) {
  const Sizes z(Q, K);
  AttentionGradients g{Tensor(Q.shape()), Tensor(K.shape()), Tensor(V.shape())};
  real *pdQ = g.dQ.write(), *pdK = g.dK.write(), *pdV = g.dV.write();

  // One key head with all query heads that share it, so no other thread writes its dK and dV.
  const auto key_head = [&](Index b, Index group, real* scores, real* dscores) {
    const Index keys = (b * z.G + group) * z.S, heads = z.H / z.G;
    Row(pdK + keys * z.D, z.S * z.D).setZero();
    Row(pdV + keys * z.D, z.S * z.D).setZero();
    for (Index h = group * heads; h < (group + 1) * heads; ++h) {
      for (Index i0 = 0; i0 < z.T; i0 += query_block) {
        const Index row = (b * z.H + h) * z.T + i0, n = std::min(query_block, z.T - i0), end = past[b] + i0 + n;
        const In q(Q.data() + row * z.D, n, z.D), o(forward.O.data() + row * z.D, n, z.D), d(dO.data() + row * z.D, n, z.D);
        const real* lse = forward.lse.data() + row;
        const EigenArray inner = (d.array() * o.array()).rowwise().sum();  // rowsum(∂O·O)
        Out dq(pdQ + row * z.D, n, z.D);
        dq.setZero();
        for (Index j0 = 0; j0 < end; j0 += key_block) {
          const Index m = std::min(key_block, end - j0);
          const In k(K.data() + (keys + j0) * z.D, m, z.D), v(V.data() + (keys + j0) * z.D, m, z.D);
          Out P(scores, n, m), dS(dscores, n, m);
          P.noalias() = q * k.transpose();
          dS.noalias() = d * v.transpose();
          for (Index i = 0; i < n; ++i) {
            const Index seen = visible(past[b], i0 + i, j0, m);
            Row p(P.data() + i * m, seen), ds(dS.data() + i * m, seen);
            p = (scale * p - lse[i]).exp();
            ds = scale * p * (ds - inner[i]);
            Row(P.data() + i * m + seen, m - seen).setZero();
            Row(dS.data() + i * m + seen, m - seen).setZero();
          }
          dq.noalias() += dS * k;
          Out(pdK + (keys + j0) * z.D, m, z.D).noalias() += dS.transpose() * q;
          Out(pdV + (keys + j0) * z.D, m, z.D).noalias() += P.transpose() * d;
        }
      }
    }
  };

  for_range(z.B * z.G, flops(5 * z.H / z.G * z.T * z.S * z.D), [&](Index task, Index end) {
    const Tagged scratch(Category::temporary);
    Tensor P(Shape{query_block, key_block}), dS(Shape{query_block, key_block});
    real *scores = P.write(), *dscores = dS.write();
    for (; task < end; ++task) key_head(task / z.G, task % z.G, scores, dscores);
  });
  return g;
}

}  // namespace graft::kernel
