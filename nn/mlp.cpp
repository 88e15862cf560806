#include "nn/mlp.h"

#include <map>

#include "autograd/ops.h"
#include "nn/layers.h"

namespace graft {

Activation activation(const std::string& name) {
  static const std::map<std::string, Activation> known{
      {"gelu_new", gelu}, {"gelu_pytorch_tanh", gelu}, {"gelu", gelu_erf}, {"relu", relu}, {"silu", silu}, {"swish", silu},
      {"tanh", tanh},     {"sigmoid", sigmoid}};
  const auto found = known.find(name);
  if (found != known.end()) return found->second;
  std::string names;
  for (const auto& entry : known) names += " " + entry.first;
  throw ValueError(text("activation: there is no \"", name, "\"; known are", names));
}

Mlp::Mlp(Index dim, Index hidden, std::unique_ptr<RowMap> n, Activation function, bool bias, real dropout)
    : norm(*this, "norm", std::move(n)),
      up(*this, "up", std::make_unique<Linear>(dim, hidden, bias)),
      down(*this, "down", std::make_unique<Linear>(hidden, dim, bias)),
      drop(*this, "drop", dropout > 0 ? std::make_unique<Dropout>(dropout) : nullptr),
      f(function) {}
std::string Mlp::kind() const { return "Mlp"; }
Variable Mlp::operator()(const Variable& x) {
  const Variable y = down(f(up(norm(x))));
  return drop.empty() ? y : drop(y);
}

GatedMlp::GatedMlp(Index dim, Index hidden, std::unique_ptr<RowMap> n, Activation function, bool bias)
    : norm(*this, "norm", std::move(n)),
      gate(*this, "gate", std::make_unique<Linear>(dim, hidden, bias)),
      up(*this, "up", std::make_unique<Linear>(dim, hidden, bias)),
      down(*this, "down", std::make_unique<Linear>(hidden, dim, bias)),
      f(function) {}
std::string GatedMlp::kind() const { return "GatedMlp"; }
Variable GatedMlp::operator()(const Variable& x) {
  const Variable n = norm(x);
  return down(f(gate(n)) * up(n));
}

}  // namespace graft
