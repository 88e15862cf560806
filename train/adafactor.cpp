#include "train/adafactor.h"

#include <algorithm>
#include <cmath>

#include "autograd/sizes.h"

namespace graft::train {

std::map<std::string, Shape> Adafactor::kept(const Shape& w) const {
  if (w.rank() < 2) return {{"exp_avg_sq", w}};
  return {{"exp_avg_sq_row", Shape{w.rows()}}, {"exp_avg_sq_col", Shape{w.cols()}}};
}

/// A tensor of more than two axes is seen as a matrix of rows.
void Adafactor::update(const std::string& path, Tensor& w, const Tensor& g, real rate, bool decays) {
  const Index n = w.shape().rows(), m = w.shape().cols();
  const real beta = static_cast<real>(1 - std::pow(static_cast<double>(steps()), static_cast<double>(decay_rate)));
  const real* G = g.data();
  Tensor change(w.shape());
  real* u = change.write();
  if (w.rank() < 2) {
    real* V = slot(path, "exp_avg_sq", w.shape()).write();
    for (Index i = 0; i < w.numel(); ++i) {
      V[i] = beta * V[i] + (1 - beta) * (G[i] * G[i] + eps);
      u[i] = G[i] / std::sqrt(V[i]);
    }
  } else {
    real* R = slot(path, "exp_avg_sq_row", Shape{n}).write();
    real* C = slot(path, "exp_avg_sq_col", Shape{m}).write();
    std::vector<double> columns(static_cast<std::size_t>(m), 0);
    double mean = 0;  // of R
    for (Index i = 0; i < n; ++i) {
      double row = 0;
      for (Index j = 0; j < m; ++j) {
        const double square = static_cast<double>(G[i * m + j]) * static_cast<double>(G[i * m + j]) + static_cast<double>(eps);
        row += square, nth(columns, j) += square;
      }
      R[i] = beta * R[i] + (1 - beta) * static_cast<real>(row / static_cast<double>(m));
      mean += static_cast<double>(R[i]) / static_cast<double>(n);
    }
    for (Index j = 0; j < m; ++j)
      C[j] = beta * C[j] + (1 - beta) * static_cast<real>(nth(columns, j) / static_cast<double>(n));
    for (Index i = 0; i < n; ++i) {
      const real row = 1 / std::sqrt(static_cast<real>(static_cast<double>(R[i]) / mean));
      for (Index j = 0; j < m; ++j) u[i * m + j] = G[i * m + j] * row / std::sqrt(C[j]);
    }
  }
  double squares = 0;
  for (Index i = 0; i < w.numel(); ++i) squares += static_cast<double>(u[i]) * static_cast<double>(u[i]);
  const double rms = std::sqrt(squares / static_cast<double>(w.numel()));
  const real step = rate / static_cast<real>(std::max(1.0, rms / static_cast<double>(clip)));
  real* to = w.write();
  const real shrink = decays ? 1 - rate * decay : 1;
  for (Index i = 0; i < w.numel(); ++i) to[i] = shrink * to[i] - step * u[i];
}

}  // namespace graft::train
