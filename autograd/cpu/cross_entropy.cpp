// Cross-entropy over rows of logits, also fused with the product that computes them.
#include <cmath>

#include "autograd/cpu/product.h"
#include "autograd/kernels.h"
#include "autograd/sizes.h"

namespace graft::kernel {
namespace {

using In = Eigen::Map<const EigenArray>;
using Out = Eigen::Map<EigenArray>;

/// log Σⱼ e^xⱼ = most + rest, kept apart: most - x[label] cancels exactly where logits are large.
struct LogSumExp {
  real most, rest;
  explicit LogSumExp(const In& row) : most(row.maxCoeff()), rest(std::log((row - most).exp().sum())) {}
};

/// Σ wᵢ·lossᵢ in double and in order, whichever thread computed them.
real weighted(const std::vector<real>& losses, const real* weights) {
  double sum = 0;
  for (std::size_t i = 0; i < losses.size(); ++i)
    if (weights[i] != 0) sum += double(weights[i]) * losses[i];
  return static_cast<real>(sum);
}

}  // namespace

Scored cross_entropy(const Tensor& logits, const Ids& labels, const std::vector<real>& weights) {
  const Index N = logits.rows(), V = logits.cols();
  Scored scored{0, Tensor(Shape{N}, 0)};
  real* lse = scored.lse.write();
  std::vector<real> losses(static_cast<std::size_t>(N));
  for_range(N, 8 * V, [&](Index r, Index end) {
    for (; r < end; ++r) {
      if (weights[r] == 0) continue;
      const In row(logits.data() + r * V, V);
      const LogSumExp sum(row);
      lse[r] = sum.most + sum.rest;
      losses[r] = (sum.most - row[labels[r]]) + sum.rest;
    }
  });
  scored.loss = weighted(losses, weights.data());
  return scored;
}

Tensor cross_entropy_backward(const Tensor& logits, const Ids& labels, const std::vector<real>& weights, const Tensor& lse,
                              real dy) {
  const Index N = logits.rows(), V = logits.cols();
  Tensor dlogits(logits.shape());
  real* out = dlogits.write();
  for_range(N, 8 * V, [&](Index r, Index end) {
    for (; r < end; ++r) {
      Out drow(out + r * V, V);
      const real s = weights[r] * dy;
      if (s == 0) {
        drow.setZero();
        continue;
      }
      drow = s * (In(logits.data() + r * V, V) - lse[r]).exp();
      if (std::abs(lse[r]) > 128) drow *= s / drow.sum();  // this far from 0 the rounding error of lse would show
      drow[labels[r]] -= s;
    }
  });
  return dlogits;
}

LinearScored linear_cross_entropy(const Tensor& x, const Tensor& W, const Ids& labels, const std::vector<real>& weights,
                                  bool want_dx, bool want_dW) {
  constexpr Index chunk_bytes = 40 << 20;  // of logits; from about 128 rows on, the products are as fast as on all rows
  const Index N = x.rows(), D = x.cols(), V = W.dim(0);
  LinearScored scored{0, want_dx ? Tensor(x.shape()) : Tensor(), want_dW ? Tensor(W.shape()) : Tensor()};

  std::vector<Index> rows;  // the scored rows; the others cost nothing from here on
  for (Index r = 0; r < N; ++r)
    if (weights[r] != 0) rows.push_back(r);
  const Index n = size_of(rows);
  if (want_dx && n < N) scored.dx.fill(0);
  if (n == 0) {
    if (want_dW) scored.dW.fill(0);
    return scored;
  }

  const Tagged scratch(Category::temporary);
  const Index most = std::max<Index>(16, chunk_bytes / (V * static_cast<Index>(sizeof(real))));
  const Index chunks = (n + most - 1) / most, chunk = (n + chunks - 1) / chunks;
  Tensor X(Shape{chunk, D}), logits(Shape{chunk, V}), dX(Shape{want_dx ? chunk : 0, D});
  real *pX = X.write(), *pZ = logits.write(), *pdX = dX.write();
  std::vector<real> losses(rows.size()), row_weights(rows.size());
  for (Index i = 0; i < n; ++i) row_weights[i] = weights[rows[i]];

  for (Index begin = 0; begin < n; begin += chunk) {
    const Index m = std::min(chunk, n - begin);
    for (Index i = 0; i < m; ++i) std::copy_n(x.data() + rows[begin + i] * D, D, pX + i * D);
    const Eigen::Map<const EigenMatrix> xs(pX, m, D);
    Eigen::Map<EigenMatrix> z(pZ, m, V);
    product(xs, matrix(W).transpose(), z);
    for_range(m, 16 * V, [&](Index i, Index end) {  // the loss; the gradient overwrites the logits
      for (; i < end; ++i) {
        Out row(pZ + i * V, V);
        const Id label = labels[rows[begin + i]];
        const real s = row_weights[begin + i], most_of_row = row.maxCoeff(), at_label = row[label];
        row = (row - most_of_row).exp();
        const real sum = row.sum();
        losses[begin + i] = (most_of_row - at_label) + std::log(sum);
        if (!want_dx && !want_dW) continue;
        row *= s / sum;
        row[label] -= s;
      }
    });
    if (want_dx) {
      product(z, matrix(W), Eigen::Map<EigenMatrix>(pdX, m, D));
      real* dx = scored.dx.write();
      for (Index i = 0; i < m; ++i) std::copy_n(pdX + i * D, D, dx + rows[begin + i] * D);
    }
    if (want_dW) product(z.transpose(), xs, matrix_out(scored.dW), begin == 0 ? Write::over : Write::add);
  }
  scored.loss = weighted(losses, row_weights.data());
  return scored;
}

}  // namespace graft::kernel
