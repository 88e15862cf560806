// The engine: what record() keeps, what backward() does, and when it refuses.
#include "autograd/sizes.h"
#include "autograd/variable.h"

#include <gtest/gtest.h>

#include <thread>

#include "autograd/ops.h"
#include "autograd/threads.h"

namespace graft {
namespace {

Variable leaf(std::vector<real> values) { return parameter(Tensor(Shape{size_of(values)}, values)); }

TEST(Variable, ChainRuleByHand) {  // L = Σ (w·x + b)², ∂w = 2(w·x + b)·x, ∂b = 2(w·x + b)
  const Variable w = leaf({2, -1}), b = leaf({1, 0.5});
  const Tensor x(Shape{2}, {3, 4});
  const Variable e = w * x + b;  // 7, -3.5
  sum(e * e).backward();
  EXPECT_EQ(w.grad().values(), (std::vector<real>{42, -28}));
  EXPECT_EQ(b.grad().values(), (std::vector<real>{14, -7}));
}

TEST(Variable, GradientsOfSeveralUsesAddUp) {
  const Variable x = leaf({3});
  (x * x * x).backward();  // 3x²
  EXPECT_EQ(x.grad().item(), 27);
  (x + x).backward();  // and a second backward adds to the first
  EXPECT_EQ(x.grad().item(), 29);
}

TEST(Variable, DiamondIsWalkedOnce) {  // y = ((x + x) + (x + x)) ..., 2^60 paths: only a topological order ends
  const Variable x = leaf({1});
  Variable y = x;
  for (int i = 0; i < 60; ++i) y = y + y;
  y.backward();
  EXPECT_EQ(x.grad().item(), static_cast<real>(1ull << 60));
}

TEST(Variable, LongHistoriesNeitherRecurseInBackwardNorWhenForgotten) {
  const Variable x = leaf({1});
  Variable y = x;
  for (int i = 0; i < 300000; ++i) y = y + Tensor(Shape{1}, 1);
  y.backward();
  EXPECT_EQ(x.grad().item(), 1);
  Variable z = x;
  for (int i = 0; i < 300000; ++i) z = scale(z, 1);
  z = Variable();  // 300 000 nodes die here without a backward
}

TEST(Variable, ConstantsAndNoGradHaveNoHistory) {
  const Variable w = leaf({1});
  EXPECT_EQ((Variable(Tensor(Shape{1}, 1)) * Tensor(Shape{1}, 2)).node(), nullptr);
  {
    const NoGrad off;
    EXPECT_FALSE(recording());
    EXPECT_FALSE((w * w).learns());
  }
  EXPECT_TRUE((w * w).learns());
  EXPECT_FALSE((w * w).detach().learns());
}

TEST(Variable, EdgesIntoFrozenInputsAreDropped) {
  const Variable w = frozen(Tensor(Shape{1}, 2)), x = leaf({3});
  const Variable y = w * x;
  ASSERT_EQ(y.node()->edges.size(), 1u);
  EXPECT_EQ(y.node()->edges[0].input, x.node());
  ASSERT_EQ(y.node()->frozen.size(), 1u);
  y.backward();
  EXPECT_EQ(x.grad().item(), 2);
  EXPECT_FALSE(w.grad().defined());
}

TEST(Variable, LearnIsForLeavesAndClearsTheGradient) {
  Variable w = leaf({2});
  (w * w).backward();
  w.learn(false);
  EXPECT_FALSE(w.grad().defined());
  EXPECT_FALSE((w * w).learns());
  w.learn(true);
  Variable y = w * w;
  EXPECT_THROW(y.learn(false), GraphError);
  EXPECT_THROW(Variable(Tensor(Shape{1}, 1)).learn(true), GraphError);
}

TEST(Variable, LeafThatStoppedLearningAfterTheForwardPassGetsNothing) {
  Variable w = leaf({2}), v = leaf({5});
  const Variable y = w * v;
  w.learn(false);
  y.backward();
  EXPECT_FALSE(w.grad().defined());
  EXPECT_EQ(v.grad().item(), 2);
}

TEST(Variable, TwoLeavesNeverShareTheirGradients) {  // a + b hands the same tensor to both
  const Variable a = leaf({1}), b = leaf({2});
  (a + b).backward();
  EXPECT_FALSE(a.grad().shares(b.grad()));
  Tensor mine = a.grad();
  mine.write()[0] = 100;  // as clipping in place does
  EXPECT_EQ(b.grad().item(), 1);
}

TEST(Variable, SeedIsNotSharedWithTheGradient) {
  const Variable a = leaf({1, 2});
  Tensor seed(Shape{2}, {3, 4});
  reshape(a, {2}).backward(seed);
  (a * Tensor(Shape{2}, 1)).backward(seed);
  EXPECT_EQ(seed.values(), (std::vector<real>{3, 4}));
  EXPECT_EQ(a.grad().values(), (std::vector<real>{6, 8}));
}

TEST(Variable, GradientsHeldByAUserAreNotChangedByTheNextBackward) {
  const Variable a = leaf({1});
  a.node();
  (a * a).backward();
  const Tensor held = a.grad();
  (a * a).backward();
  EXPECT_EQ(held.item(), 2);
  EXPECT_EQ(a.grad().item(), 4);
}

// --- refusals: typed, with both facts, and no grad() has changed ---

template <class E, class F>
std::string message(const F& f) {
  try {
    f();
  } catch (const E& e) { return e.what(); }
  return "no error of the expected type";
}

TEST(Variable, BackwardNeedsOneNumberAHistoryAndAFreshGraph) {
  const Variable a = leaf({1, 2});
  EXPECT_NE(message<GraphError>([&] { (a * a).backward(); }).find("[2]"), std::string::npos);
  EXPECT_NE(message<GraphError>([&] { Variable(Tensor(Shape{1}, 1)).backward(); }).find("no history"), std::string::npos);
  EXPECT_THROW((a * a).backward(Tensor(Shape{3}, 1)), ShapeError);
  EXPECT_THROW(Variable().backward(), ValueError);
  const Variable y = sum(a * a);
  y.backward();
  EXPECT_NE(message<GraphError>([&] { y.backward(); }).find("an earlier backward"), std::string::npos);
  EXPECT_EQ(a.grad().values(), (std::vector<real>{2, 4}));
}

TEST(Variable, ReachingASpentPartIsRefusedAndChangesNoGradient) {
  const Variable a = leaf({2}), b = leaf({3});
  const Variable shared = a * a;
  (shared * b).backward();
  const Tensor da = a.grad().clone(), db = b.grad().clone();
  EXPECT_THROW((shared + b).backward(), GraphError);
  EXPECT_EQ(a.grad().item(), da.item());
  EXPECT_EQ(b.grad().item(), db.item());
}

TEST(Variable, AThrowingOrWrongPullbackChangesNoGradient) {
  const Variable a = leaf({2}), b = leaf({3});
  const auto broken = [&](Pullback pull) { return record("broken", a.value().clone(), Edge{a, std::move(pull)}); };
  const Variable thrower = broken([](const Tensor&) -> Tensor { throw std::runtime_error("out of luck"); });
  EXPECT_THROW((thrower * b).backward(), std::runtime_error);
  const Variable wide = broken([](const Tensor&) { return Tensor(Shape{2}, 1); });
  const std::string said = message<GraphError>([&] { (wide * b).backward(); });
  EXPECT_NE(said.find("broken"), std::string::npos);
  EXPECT_NE(said.find("[2]"), std::string::npos);
  EXPECT_THROW((broken([](const Tensor&) { return Tensor(); }) * b).backward(), GraphError);
  EXPECT_FALSE(a.grad().defined());
  EXPECT_FALSE(b.grad().defined());
}

TEST(Variable, JointPullbackMustAnswerForEveryInput) {
  const Variable a = leaf({2}), b = leaf({3});
  const Variable y = record_joint("pair", a.value().clone(), {a, b},
                                  [](const Tensor& dy, const std::vector<bool>&) { return std::vector<Tensor>{dy}; });
  EXPECT_THROW(y.backward(), GraphError);
}

TEST(Variable, JointPullbackIsToldWhoLearns) {
  const Variable a = leaf({2}), b = frozen(Tensor(Shape{1}, 3));
  std::vector<bool> told;
  record_joint("pair", a.value().clone(), {b, a}, [&](const Tensor& dy, const std::vector<bool>& learns) {
    told = learns;
    return std::vector<Tensor>{Tensor(), dy};
  }).backward();
  EXPECT_EQ(told, (std::vector<bool>{false, true}));
  EXPECT_EQ(a.grad().item(), 1);
}

TEST(Variable, ChangingASavedTensorIsNoticed) {
  const Variable w = leaf({2}), x = leaf({3});
  const Variable y = w * x;
  Tensor weights = w.value();
  weights.write()[0] = 10;  // an optimizer step too early
  EXPECT_NE(message<GraphError>([&] { y.backward(); }).find("changed"), std::string::npos);
  EXPECT_FALSE(x.grad().defined());
  (w * x).backward();  // a new forward pass is fine
  EXPECT_EQ(x.grad().item(), 10);
}

TEST(Variable, AnInputThatLearnsNeedsAPullback) {
  const Variable a = leaf({2});
  EXPECT_THROW(record("op", a.value().clone(), Edge{a, nullptr}), GraphError);
  EXPECT_FALSE(record("op", a.value().clone(), Edge{a.detach(), nullptr}).learns());
}

TEST(Variable, PullRefusesAWrongSeedAndAConstant) {
  const Variable a = leaf({1, 2});
  EXPECT_THROW(backward_to(a * a, Tensor(Shape{1}, 1)), ShapeError);
  EXPECT_THROW(backward_to(Tensor(Shape{1}, 1), Tensor(Shape{1}, 1)), GraphError);
}

TEST(Variable, ALossWhoseGradientIsZeroGivesZeros) {  // large logits: nothing may be divided by 0
  const Variable x = leaf({200, 201, 202});
  scale(cross_entropy(reshape(x, {1, 3}), Ids{1}), 0).backward();
  EXPECT_EQ(x.grad().values(), (std::vector<real>{0, 0, 0}));
}

TEST(Variable, ThreadsAreChosenForTheWholeProcess) {
  const int before = threads();
  threads(before + 3);
  int seen = 0;
  std::thread([&] { seen = threads(); }).join();
  EXPECT_EQ(seen, before + 3);
  threads(before);
}

TEST(Variable, LongSumsKeepWhatTheyAdd) {  // a running float sum of 2e7 ones stops at 1.7e7
  const Variable x = Tensor({20000000, 2}, 1);
  EXPECT_NEAR(mean(x, 0).value()[0], 1, 1e-4);
  const Variable bias = parameter(Tensor({2}, 0));
  (x + bias).backward(x.value());
  EXPECT_NEAR(bias.grad()[1] / 2e7, 1, 1e-4);
}

TEST(Variable, PullStopsAtTheBoundary) {
  const Variable a = leaf({2});
  const Variable old = a * a;
  const std::uint64_t boundary = next_sequence();
  const Variable y = old * old;
  const std::vector<NodeGradient> arrived = backward_to(y, Tensor(Shape{1}, 1), boundary);
  ASSERT_EQ(arrived.size(), 1u);
  EXPECT_EQ(arrived[0].node, old.node());
  EXPECT_EQ(arrived[0].grad.item(), 8);
  EXPECT_FALSE(a.grad().defined());
  old.backward();  // still live
  EXPECT_EQ(a.grad().item(), 4);
}

}  // namespace
}  // namespace graft
