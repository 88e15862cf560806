// Gradient checkpointing gives the same numbers as the plain run, and keeps less.
#include "autograd/recompute.h"

#include <gtest/gtest.h>

#include "autograd/ops.h"

namespace graft {
namespace {

struct Block {  // x + V·gelu(U·x)
  Variable U, V;
  explicit Block(Index width, Rng& rng)
      : U(parameter(normal({4 * width, width}, 0, 0.3, rng))),
        V(parameter(normal({width, 4 * width}, 0, 0.3, rng))) {}
  Variable operator()(const Variable& x) const { return x + linear(gelu(linear(x, U)), V); }
};

void expect_same(const Tensor& a, const Tensor& b) {
  ASSERT_TRUE(a.defined() && b.defined());
  ASSERT_EQ(a.shape(), b.shape());
  EXPECT_EQ(a.values(), b.values());  // the same operations in the same order: the same bits
}

TEST(Recompute, SameValueAndGradientsAsThePlainRun) {
  Rng rng(1);
  const Block block(8, rng);
  const Tensor x0 = normal({5, 8}, 0, 1, rng);
  const Variable x = parameter(x0.clone()), x2 = parameter(x0.clone());
  const auto square = [](const Variable& y) { return sum(y * y); };
  const Variable plain = square(block(x));
  plain.backward();
  const Tensor dU = block.U.grad(), dV = block.V.grad();
  Variable U = block.U, V = block.V;
  U.clear_grad();
  V.clear_grad();
  const auto run = [&](const std::vector<Variable>& in) { return block(in[0]); };
  const Variable again = square(recompute(run, {x2}));
  EXPECT_EQ(again.item(), plain.item());
  again.backward();
  expect_same(x2.grad(), x.grad());
  expect_same(U.grad(), dU);
  expect_same(V.grad(), dV);
}

TEST(Recompute, LearnsWhenOnlyParametersInsideLearn) {
  Rng rng(2);
  const Block block(4, rng);
  const Variable x = frozen(normal({3, 4}, 0, 1, rng));  // a frozen part below
  sum(block(x)).backward();
  const Tensor dU = block.U.grad();
  Variable U = block.U;
  U.clear_grad();
  sum(recompute([&](const std::vector<Variable>& in) { return block(in[0]); }, {x})).backward();
  expect_same(block.U.grad(), dU);
}

TEST(Recompute, AConstantStaysAConstant) {
  Rng rng(3);
  Block block(4, rng);
  block.U.learn(false);
  block.V.learn(false);
  const Variable x = normal({3, 4}, 0, 1, rng);
  EXPECT_FALSE(recompute([&](const std::vector<Variable>& in) { return block(in[0]); }, {x}).learns());
  const NoGrad off;
  EXPECT_FALSE(recompute([&](const std::vector<Variable>& in) { return block(in[0]); }, {x}).learns());
}

TEST(Recompute, HistoryOutsideThatIsNotListedIsAnInputToo) {
  Rng rng(4);
  const Variable a = parameter(normal({2, 4}, 0, 1, rng)), x = parameter(normal({2, 4}, 0, 1, rng));
  const Variable outside = tanh(a);  // reached through the closure only
  sum(recompute([&](const std::vector<Variable>& in) { return in[0] * outside * outside; }, {x})).backward();
  const Tensor da = a.grad(), dx = x.grad();
  const Variable b = parameter(a.value().clone()), z = parameter(x.value().clone());
  const Variable t = tanh(b);
  sum(z * t * t).backward();
  expect_same(da, b.grad());
  expect_same(dx, z.grad());
}

TEST(Recompute, PastKeysGetTheirGradients) {
  Rng rng(5);
  const auto make = [&] { return parameter(normal({1, 2, 3, 4}, 0, 1, rng)); };
  const Variable q = make(), pk = make(), pv = make(), k = make(), v = make();
  const auto attend = [](const std::vector<Variable>& in) {
    return causal_attention(in[0], concat({in[1], in[3]}, 2), concat({in[2], in[4]}, 2));
  };
  std::vector<Variable> inputs{q, pk, pv, k, v};
  sum(exp(attend(inputs))).backward();
  std::vector<Tensor> plain;
  for (Variable& x : inputs) {
    plain.push_back(x.grad());
    x.clear_grad();
  }
  sum(exp(recompute(attend, inputs))).backward();
  for (std::size_t i = 0; i < inputs.size(); ++i) expect_same(inputs[i].grad(), plain[i]);
}

TEST(Recompute, ReplaysDropoutAndLeavesTheRngWhereAPlainRunDoes) {
  Rng seed(6);
  const Variable x = parameter(normal({40, 10}, 0, 1, seed));
  Rng plain_rng(7), rng(7);
  const Variable plain = sum(exp(dropout(x, 0.5, plain_rng)));
  plain.backward();
  const Tensor dx = x.grad();
  Variable mine = x;
  mine.clear_grad();
  const Variable again =
      sum(recompute([](const std::vector<Variable>& in, Rng& r) { return exp(dropout(in[0], 0.5, r)); }, {x}, rng));
  EXPECT_EQ(again.item(), plain.item());
  EXPECT_EQ(rng.next(), plain_rng.next());
  again.backward();
  expect_same(x.grad(), dx);
}

TEST(Recompute, Nests) {
  Rng rng(8);
  const Block one(4, rng), two(4, rng);
  const Variable x = parameter(normal({3, 4}, 0, 1, rng));
  sum(two(one(x))).backward();
  const Tensor dx = x.grad(), dU = one.U.grad();
  Variable X = x, U = one.U;
  X.clear_grad();
  U.clear_grad();
  const auto inner = [&](const std::vector<Variable>& in) { return one(in[0]); };
  sum(recompute([&](const std::vector<Variable>& in) { return two(recompute(inner, in)); }, {x})).backward();
  expect_same(x.grad(), dx);
  expect_same(one.U.grad(), dU);
}

TEST(Recompute, LongHistoriesHeldByClosuresAreForgottenWithoutRecursion) {
  const Variable x = parameter(Tensor(Shape{1}, 1));
  Variable y = x;
  for (int i = 0; i < 200000; ++i) y = recompute([y](const std::vector<Variable>& in) { return in[0] + y; }, {x});
  y = x;
}

TEST(Recompute, UnusedInputGetsZeros) {
  const Variable x = parameter(Tensor(Shape{2}, 1)), y = parameter(Tensor(Shape{2}, 1));
  sum(recompute([](const std::vector<Variable>& in) { return in[0] * in[0]; }, {x, y})).backward();
  EXPECT_EQ(y.grad().values(), (std::vector<real>{0, 0}));
}

TEST(Recompute, ChangedInputIsNoticed) {
  const Variable x = parameter(Tensor(Shape{2}, 1));
  const Variable y = sum(recompute([](const std::vector<Variable>& in) { return in[0] * in[0]; }, {x}));
  Tensor t = x.value();
  t.write()[0] = 3;
  EXPECT_THROW(y.backward(), GraphError);
  EXPECT_FALSE(x.grad().defined());
}

TEST(Recompute, ChangedWeightOrAnotherResultIsNoticed) {
  const Variable x = parameter(Tensor(Shape{2}, 1));
  for (const Variable& w : {parameter(Tensor(Shape{2}, 3)), frozen(Tensor(Shape{2}, 3))}) {
    const Variable y = sum(recompute([&](const std::vector<Variable>& in) { return in[0] * w; }, {x}));
    Tensor t = w.value();
    t.fill(50);
    EXPECT_THROW(y.backward(), GraphError);
  }
  int runs = 0;
  const auto f = [&](const std::vector<Variable>& in) { return runs++ ? softmax(in[0]) : softmax(slice(in[0], 0, 0, 1)); };
  EXPECT_THROW(sum(recompute(f, {x})).backward(), GraphError);
  EXPECT_FALSE(x.grad().defined());
}

TEST(Recompute, KeepsOnlyItsInputs) {
  Rng rng(9);
  const Index rows = 64, width = 32;
  const Block a(width, rng), b(width, rng);
  const Variable x = parameter(normal({rows, width}, 0, 1, rng));
  const std::size_t row_bytes = static_cast<std::size_t>(rows * width) * sizeof(real);
  const auto saved = [&](const auto& f) {
    const std::size_t before = ledger()[Category::saved];
    const Variable y = f();
    return ledger()[Category::saved] - before;
  };
  // Plain: each block keeps U·x (4 wide) and gelu of it (4), and what enters the second block (1); then y (1).
  EXPECT_EQ(saved([&] { return b(a(x)); }), 18 * row_bytes);
  // Recomputed: what enters the second block, and y.
  EXPECT_EQ(saved([&] {
              return recompute([&](const auto& in) { return b(in[0]); },
                               {recompute([&](const auto& in) { return a(in[0]); }, {x})});
            }),
            2 * row_bytes);
}

}  // namespace
}  // namespace graft
