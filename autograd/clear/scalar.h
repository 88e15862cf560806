// Reverse-mode differentiation on single numbers, all of it: read this before variable.h, which
// does the same on tensors. A number y remembers the numbers x it was computed from and each ∂y/∂x.
//     Scalar a = 2, b = 3, L = a * b + tanh(a);
//     L.backward();                                   // a.grad() is ∂L/∂a = b + 1 - tanh²(a)
#pragma once
#include <cmath>
#include <functional>
#include <memory>
#include <set>
#include <utility>
#include <vector>

namespace graft::clear {

class Scalar {
 public:
  Scalar(double value) { node_->value = value; }
  Scalar(double value, const std::vector<std::pair<Scalar, double>>& made_of)
      : Scalar(value) {
    for (const auto& [x, slope] : made_of) node_->made_of.emplace_back(x.node_, slope);
  }
  double value() const { return node_->value; }
  double grad() const { return node_->grad; }

  /// ∂L/∂x for every x that this L was computed from: Σ ∂L/∂y · ∂y/∂x over all y computed from x
  void backward() const {
    std::vector<Node*> order;  // each number after those it was computed from
    std::set<Node*> seen;
    const std::function<void(Node*)> visit = [&](Node* y) {
      if (!seen.insert(y).second) return;
      for (const auto& made_of : y->made_of) visit(made_of.first.get());
      order.push_back(y);
    };
    visit(node_.get());
    node_->grad = 1;  // ∂L/∂L
    for (auto y = order.rbegin(); y != order.rend(); ++y)
      for (const auto& [x, slope] : (*y)->made_of) x->grad += (*y)->grad * slope;  // the chain rule
  }

 private:
  struct Node {
    double value = 0, grad = 0;
    std::vector<std::pair<std::shared_ptr<Node>, double>> made_of;  // x, ∂y/∂x
  };
  std::shared_ptr<Node> node_ = std::make_shared<Node>();
};

inline Scalar operator+(const Scalar& a, const Scalar& b) {
  return {a.value() + b.value(), {{a, 1}, {b, 1}}};
}
inline Scalar operator-(const Scalar& a, const Scalar& b) {
  return {a.value() - b.value(), {{a, 1}, {b, -1}}};
}
inline Scalar operator*(const Scalar& a, const Scalar& b) {
  return {a.value() * b.value(), {{a, b.value()}, {b, a.value()}}};
}
inline Scalar exp(const Scalar& x) { return {std::exp(x.value()), {{x, std::exp(x.value())}}}; }
inline Scalar tanh(const Scalar& x) {
  const double y = std::tanh(x.value());
  return {y, {{x, 1 - y * y}}};
}

}  // namespace graft::clear
