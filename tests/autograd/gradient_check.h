// Gradients by backward() against central differences of the value alone, for the double build.
// Differences: the five-point stencil, whose error is h⁴·f⁗'/30; with h = 1e-3 both that and rounding (1e-16/h) stay near
// 1e-12 for functions of ordinary size, far below the bound of 1e-7 that the tests ask for.
#pragma once
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "autograd/sizes.h"
#include "autograd/variable.h"
#include "tests/autograd/compare.h"

namespace graft::table {

using Loss = std::function<Variable(const std::vector<Variable>&)>;  ///< y of the inputs; must be the same on every call

struct Worst {
  double error = 0;
  std::string where;  ///< input, element, both numbers
};

/// Errors are relative to the larger of the two numbers, but not to less than
/// - this part of the largest gradient in the tensor: a component that happens to be nearly 0 has the rounding error of its
///   neighbours, not of its own size;
constexpr double floor_part = 1e-3;
/// - this number, for tensors whose gradient is 0 but for rounding (layer_norm of a row of one number): inputs and seeds are
///   of size 1, so such rests are 1e-12 at most, and a true gradient of one op is far above 1e-5.
constexpr double floor_size = 1e-5;

/// Of two gradients of one input, element by element.
inline void compare(const std::vector<double>& ours, const std::vector<double>& expected, const std::string& what,
                    Worst& worst) {
  double largest = 0;
  for (std::size_t j = 0; j < ours.size(); ++j) largest = std::max({largest, std::abs(ours[j]), std::abs(expected[j])});
  for (std::size_t j = 0; j < ours.size(); ++j) {
    const double size = std::max({std::abs(ours[j]), std::abs(expected[j]), floor_part * largest, floor_size});
    double error = ours[j] == expected[j] ? 0 : std::abs(ours[j] - expected[j]) / size;
    if (!std::isfinite(ours[j]) || !std::isfinite(expected[j])) error = std::numeric_limits<double>::infinity();
    if (error > worst.error) worst = {error, text(what, "[", j, "]: backward gives ", ours[j], ", expected ", expected[j])};
  }
}

/// Gradients of Σ y·R by backward(); frozen_input is not let learn. An input that y does not depend on has zeros.
inline std::vector<std::vector<double>> backward_gradients(const Loss& f, const std::vector<Tensor>& inputs, const Tensor& R,
                                                           int frozen_input = -1, Variable* frozen_one = nullptr) {
  std::vector<Variable> x;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const bool learns = static_cast<int>(i) != frozen_input;
    x.push_back(learns ? parameter(inputs[i].clone()) : frozen(inputs[i].clone()));
  }
  const Variable y = f(x);
  if (y.learns()) y.backward(R);
  std::vector<std::vector<double>> gradients;
  for (const Variable& v : x) gradients.push_back(numbers(v.grad().defined() ? v.grad() : Tensor(v.shape(), 0)));
  if (frozen_one) *frozen_one = nth(x, frozen_input);
  return gradients;
}

/// ∂(Σ y·R)/∂inputs[i] by differences.
inline std::vector<double> differences(const Loss& f, const std::vector<Tensor>& inputs, std::size_t i, const Tensor& R) {
  constexpr double h = 1e-3;
  const NoGrad values_only;
  const auto at = [&](Index j, double step) {
    std::vector<Variable> x;
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      Tensor moved = inputs[k].clone();
      if (k == i) moved.write()[j] += static_cast<real>(step);
      x.emplace_back(moved);
    }
    return f(x).value();
  };
  std::vector<double> d;
  for (Index j = 0; j < inputs[i].numel(); ++j) {
    const Tensor y2 = at(j, 2 * h), y1 = at(j, h), z1 = at(j, -h), z2 = at(j, -2 * h);
    double sum = 0;  // differences first: what does not change cancels exactly
    for (Index k = 0; k < R.numel(); ++k) sum += R[k] * (8 * (y1[k] - z1[k]) - (y2[k] - z2[k]));
    d.push_back(sum / (12 * h));
  }
  return d;
}

/// The worst relative error over all elements of all inputs.
inline Worst gradient_check(const Loss& f, const std::vector<Tensor>& inputs, const Tensor& R) {
  Worst worst;
  const std::vector<std::vector<double>> ours = backward_gradients(f, inputs, R);
  for (std::size_t i = 0; i < inputs.size(); ++i)
    compare(ours[i], differences(f, inputs, i, R), text("input ", i, " ", inputs[i].shape()), worst);
  return worst;
}

}  // namespace graft::table
