// Gradients of whole models by backward() against central differences, for every parameter: the double build only.
#include <gtest/gtest.h>

#include "autograd/ops.h"
#include "nn/gpt2.h"
#include "nn/llama.h"
#include "nn/lstm.h"
#include "tests/autograd/gradient_check.h"

namespace graft {
namespace {

using Value = std::function<Variable()>;

/// All parameters of m, each element moved by ±h, ±2h and ±3h.
table::Worst check(const Module& m, const Value& loss) {
  loss().backward();
  table::Worst worst;
  for (const auto& p : m.parameters()) {
    const std::vector<double> ours = table::numbers(p.second->variable().grad());
    std::vector<double> expected;
    Tensor numbers = p.second->value();
    const NoGrad no_grad;
    for (Index i = 0; i < numbers.numel(); ++i) {
      constexpr double h = 2e-3;  // seven points: error h⁶·f⁽⁷⁾/140, rounding 1e-16·loss/h
      const real before = numbers[i];
      const auto at = [&](double step) {
        numbers.write()[i] = static_cast<real>(before + step);
        const double y = loss().item();
        numbers.write()[i] = before;
        return y;
      };
      expected.push_back((45 * (at(h) - at(-h)) - 9 * (at(2 * h) - at(-2 * h)) + (at(3 * h) - at(-3 * h))) / (60 * h));
    }
    table::compare(ours, expected, p.first, worst);
  }
  return worst;
}

void randomize(const Module& m) {
  Rng rng(7);
  for (const auto& p : m.parameters()) p.second->set(normal(p.second->shape(), p.second->shape().rank() == 1, real(0.4), rng));
}

const Ids ids({2, 5}, {1, 4, 2, 7, 3, 5, 5, 0, 6, 1});
const Ids labels({2, 5}, {1, 4, ignored, 7, 3, 5, 5, 0, 6, ignored});

void expect_right(Model& m) {
  randomize(m);
  const table::Worst worst = check(m, [&] { return language_loss(m, ids, labels); });
  EXPECT_LE(worst.error, 1e-7) << worst.where;
  std::printf("    worst %.1e\n", worst.error);
}

TEST(GradientCheck, Gpt2) {
  for (const bool tied : {true, false}) {
    Gpt2Config c;
    c.vocabulary = 9, c.context = 6, c.dim = 4, c.layers = 2, c.heads = 2, c.hidden = 6, c.tied = tied;
    c.scale_by_layer = tied;
    Gpt2 m(c);
    expect_right(m);
  }
}

TEST(GradientCheck, Llama) {
  for (const bool tied : {true, false}) {
    LlamaConfig c;
    c.vocabulary = 9, c.context = 6, c.dim = 4, c.hidden = 5, c.layers = 2, c.heads = 4, c.kv_heads = 2, c.head_dim = 2;
    c.attention_bias = c.mlp_bias = !tied, c.tied = tied;
    c.eps = real(0.1);  // norms of short rows bend too sharply for differences
    Llama m(c);
    expect_right(m);
  }
}

TEST(GradientCheck, Lstm) {
  Rng rng(5);
  const Variable x(normal({2, 4, 3}, 0, 1, rng));
  const Variable weights(normal({2, 4, 4}, 0, 1, rng));
  Lstm lstm(3, 2, 2, true);
  randomize(lstm);
  const table::Worst worst = check(lstm, [&] { return sum(lstm(x) * weights); });
  EXPECT_LE(worst.error, 1e-7) << worst.where;
}

}  // namespace
}  // namespace graft
