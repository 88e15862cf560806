#include "nn/lstm.h"

#include <algorithm>
#include <cmath>

#include "autograd/ops.h"
#include "autograd/sizes.h"

namespace graft {

struct Lstm::Direction {
  Param W, U, b, c;  // input and hidden weights (4H, in), (4H, H); their biases
  Direction(Lstm& owner, const std::string& suffix, Index in, Index H)
      : W(owner, "weight_ih" + suffix, Shape{4 * H, in}),
        U(owner, "weight_hh" + suffix, Shape{4 * H, H}),
        b(owner, "bias_ih" + suffix, Shape{4 * H}),
        c(owner, "bias_hh" + suffix, Shape{4 * H}) {}
};

Lstm::Lstm(Index in_, Index hidden_, Index layers_, bool bidirectional_)
    : in(in_),
      hidden(hidden_),
      layers(layers_),
      bidirectional(bidirectional_) {
  expect<ValueError>(in > 0 && hidden > 0 && layers > 0, "Lstm: in ", in, ", hidden ", hidden, " and layers ", layers,
                     " must be positive");
  for (Index l = 0; l < layers; ++l) {
    const Index width = l == 0 ? in : hidden * (bidirectional ? 2 : 1);
    directions_.push_back(std::make_unique<Direction>(*this, text("_l", l), width, hidden));
    if (bidirectional) directions_.push_back(std::make_unique<Direction>(*this, text("_l", l, "_reverse"), width, hidden));
  }
}
Lstm::~Lstm() = default;

std::string Lstm::kind() const {
  return text("Lstm ", in, " -> ", hidden, ", ", layers, " layers", bidirectional ? ", both ways" : "");
}

void Lstm::initialize(Rng& rng) {
  const real a = 1 / std::sqrt(static_cast<real>(hidden));
  for (auto& named : parameters()) named.second->set(uniform(named.second->shape(), -a, a, rng));
}

Variable Lstm::run(const Variable& x, const Direction& d, bool backwards) const {
  const Index B = x.dim(0), T = x.dim(1), H = hidden;
  const Variable inputs = linear(x, d.W, d.b);  // (B, T, 4H), all steps at once
  Variable h{Tensor(Shape{B, H}, 0)}, cell{Tensor(Shape{B, H}, 0)};
  std::vector<Variable> outputs(static_cast<std::size_t>(T));
  for (Index step = 0; step < T; ++step) {
    const Index t = backwards ? T - 1 - step : step;
    const Variable gates = reshape(slice(inputs, 1, t, t + 1), {B, 4 * H}) + linear(h, d.U, d.c);  // i, f, g, o
    const auto gate = [&](Index n) { return slice(gates, 1, n * H, (n + 1) * H); };
    cell = sigmoid(gate(1)) * cell + sigmoid(gate(0)) * tanh(gate(2));
    h = sigmoid(gate(3)) * tanh(cell);
    nth(outputs, t) = reshape(h, {B, 1, H});
  }
  return concat(outputs, 1);  // (B, T, H)
}

Variable Lstm::operator()(const Variable& x) {
  expect(x.shape().rank() == 3 && x.dim(2) == in && x.dim(1) > 0, "Lstm: x has shape ", x.shape(), ", but (B, T, ", in,
         ") is needed");
  Variable y = x;
  for (std::size_t i = 0; i < directions_.size();) {
    Variable forth = run(y, *directions_[i++], false);
    y = bidirectional ? concat({forth, run(y, *directions_[i++], true)}, 2) : forth;
  }
  return y;
}

}  // namespace graft
