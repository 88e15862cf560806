// The engine of single numbers and the engine of tensors give the same values and gradients on random graphs.
#include "autograd/clear/scalar.h"

#include <gtest/gtest.h>

#include "autograd/ops.h"
#include "autograd/rng.h"
#include "autograd/sizes.h"

namespace graft {
namespace {

template <class Number>
std::vector<Number> graph(std::vector<Number> all, Rng rng) {  // by copy: the same draws for both engines
  for (int op = 0; op < 12; ++op) {
    const auto any = [&]() -> const Number& { return nth(all, rng.below(size_of(all))); };
    const Number a = any(), b = any();
    switch (rng.below(5)) {
      case 0: all.push_back(a + b); break;
      case 1: all.push_back(a - b); break;
      case 2: all.push_back(tanh(a) * tanh(b)); break;
      case 3: all.push_back(exp(tanh(a))); break;
      default: all.push_back(tanh(a)); break;
    }
  }
  return all;
}
TEST(Scalar, ValuesAndGradientsAreThoseOfTheTensorsOn100Graphs) {
  const double close = sizeof(real) == 8 ? 1e-12 : 1e-4;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Rng rng(seed);
    std::vector<clear::Scalar> scalars;
    std::vector<Variable> tensors;
    for (int leaf = 0; leaf < 3; ++leaf) {
      const real x = static_cast<real>(rng.normal());
      scalars.emplace_back(static_cast<double>(x));
      tensors.push_back(parameter(Tensor({1}, x)));
    }
    const auto a = graph(scalars, rng);
    const auto b = graph(tensors, rng);
    // Every number counts, so that all leaves do.
    clear::Scalar L = 0;
    Variable M = Tensor({1}, 0);
    for (std::size_t i = 0; i < a.size(); ++i) {
      ASSERT_NEAR(a[i].value(), static_cast<double>(b[i].value()[0]), close * (1 + std::fabs(a[i].value())));
      L = L + a[i], M = M + b[i];
    }
    L.backward();
    sum(M).backward();
    for (std::size_t leaf = 0; leaf < 3; ++leaf)
      ASSERT_NEAR(scalars[leaf].grad(), static_cast<double>(tensors[leaf].grad()[0]), close * (1 + std::fabs(scalars[leaf].grad())))
          << "seed " << seed;
  }
}

TEST(Scalar, TheExampleOfThePage) {
  clear::Scalar a = 2, b = 3, L = a * b + tanh(a);
  L.backward();
  EXPECT_NEAR(a.grad(), 3 + 1 - std::tanh(2.0) * std::tanh(2.0), 1e-12);
  EXPECT_EQ(b.grad(), 2);
}

}  // namespace
}  // namespace graft
