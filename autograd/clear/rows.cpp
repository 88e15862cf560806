// Operations on rows or single numbers: functions, softmax, norms, scatter-add.
#include <algorithm>
#include <cmath>

#include "autograd/clear.h"

namespace graft::clear {
namespace {

double value(kernel::Unary f, double x) {
  using kernel::Unary;
  switch (f) {
    case Unary::exp: return std::exp(x);
    case Unary::log: return std::log(x);
    case Unary::tanh: return std::tanh(x);
    case Unary::sigmoid: return 1 / (1 + std::exp(-x));
    case Unary::relu: return x > 0 ? x : 0;
    case Unary::silu: return x / (1 + std::exp(-x));
    case Unary::gelu: return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case Unary::gelu_erf: return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
  }
  return 0;
}

}  // namespace

Tensor unary(kernel::Unary f, const Tensor& x) {
  Tensor y(x.shape());
  real* out = y.write();
  for (Index i = 0; i < x.numel(); ++i) out[i] = static_cast<real>(value(f, x[i]));
  return y;
}

/// y = e^(x - log Σ e^x)
Tensor softmax(const Tensor& x) {
  const Tensor logs = log_softmax(x);
  Tensor y(x.shape());
  real* out = y.write();
  for (Index i = 0; i < x.numel(); ++i) out[i] = std::exp(logs[i]);
  return y;
}

Tensor log_softmax(const Tensor& x) {
  const Index N = x.rows(), D = x.cols();
  Tensor y(x.shape());
  real* out = y.write();
  for (Index r = 0; r < N; ++r) {
    const real* row = x.data() + r * D;
    const double most = *std::max_element(row, row + D);
    double sum = 0;
    for (Index j = 0; j < D; ++j) sum += std::exp(row[j] - most);
    for (Index j = 0; j < D; ++j) out[r * D + j] = static_cast<real>(row[j] - most - std::log(sum));
  }
  return y;
}

kernel::Normalized layer_norm(const Tensor& x, const Tensor& gain, const Tensor& bias, real eps) {
  const Index N = x.rows(), D = x.cols();
  kernel::Normalized n{Tensor(x.shape()), Tensor(Shape{N}), Tensor(Shape{N})};
  real *y = n.y.write(), *means = n.mean.write(), *inverses = n.inverse.write();
  for (Index r = 0; r < N; ++r) {
    const real* row = x.data() + r * D;
    double mean = 0, variance = 0;
    for (Index j = 0; j < D; ++j) mean += double(row[j]) / double(D);
    for (Index j = 0; j < D; ++j) variance += (row[j] - mean) * (row[j] - mean) / double(D);
    const double inverse = 1 / std::sqrt(variance + eps);
    for (Index j = 0; j < D; ++j) y[r * D + j] = static_cast<real>((row[j] - mean) * inverse * gain[j] + bias[j]);
    means[r] = static_cast<real>(mean);
    inverses[r] = static_cast<real>(inverse);
  }
  return n;
}

kernel::Normalized rms_norm(const Tensor& x, const Tensor& gain, real eps) {
  const Index N = x.rows(), D = x.cols();
  kernel::Normalized n{Tensor(x.shape()), Tensor(), Tensor(Shape{N})};
  real *y = n.y.write(), *inverses = n.inverse.write();
  for (Index r = 0; r < N; ++r) {
    const real* row = x.data() + r * D;
    double square = 0;
    for (Index j = 0; j < D; ++j) square += double(row[j]) * row[j] / double(D);
    const double inverse = 1 / std::sqrt(square + eps);
    for (Index j = 0; j < D; ++j) y[r * D + j] = static_cast<real>(row[j] * inverse * gain[j]);
    inverses[r] = static_cast<real>(inverse);
  }
  return n;
}

Tensor scatter_add(const Tensor& dy, const Ids& ids, Id first, const Shape& table) {
  const Index D = table[1];
  Tensor dtable(table, 0);
  real* out = dtable.write();
  for (Index i = 0; i < ids.numel(); ++i) {
    const Index row = Index(ids[i]) - first;
    if (row < 0 || row >= table[0]) continue;
    for (Index j = 0; j < D; ++j) out[row * D + j] += dy[i * D + j];
  }
  return dtable;
}

}  // namespace graft::clear
