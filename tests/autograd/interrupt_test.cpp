// backward() and generate() can be stopped from outside, and leave everything as it was.
#include "autograd/interrupt.h"

#include <gtest/gtest.h>

#include "autograd/ops.h"
#include "autograd/rng.h"
#include "nn/generate.h"
#include "nn/gpt2.h"

namespace {

using namespace graft;

int asked = 0, stop_at = -1;

struct Interrupt : testing::Test {
  Interrupt() {
    asked = 0, stop_at = -1;
    interrupt_when([] { return asked++ == stop_at; });
  }
  ~Interrupt() override { interrupt_when(nullptr); }
};

TEST_F(Interrupt, NobodyIsAskedUnlessSomebodyIsNamed) {
  interrupt_when(nullptr);
  EXPECT_FALSE(interrupt_requested());
  EXPECT_NO_THROW(heed_interrupt("here"));
}

TEST_F(Interrupt, BackwardStopsBeforeAnyGradientMovesAndCanBeCalledAgain) {
  const Variable x = parameter(Tensor({2}, {3, 4}));
  const Variable loss = sum(x * x);
  stop_at = 0;
  try {
    loss.backward();
    FAIL() << "not interrupted";
  } catch (const Interrupted& e) {
    EXPECT_STREQ(e.what(), "backward: interrupted; what was done so far is kept");
  }
  EXPECT_FALSE(x.grad().defined());
  loss.backward();
  EXPECT_EQ(x.grad().values(), (std::vector<real>{6, 8}));
}

TEST_F(Interrupt, GenerateStopsBetweenTokensAndTheModelGoesOn) {
  Gpt2Config c;
  c.vocabulary = 11, c.context = 16, c.dim = 8, c.layers = 1, c.heads = 2;
  Gpt2 model(c);
  Rng rng(1);
  model.initialize(rng);
  GenerateOptions options;
  options.max_tokens = 8;
  Rng draws(1), again(1);
  const std::vector<Id> whole = generate_one(model, {1, 2}, options, draws);
  std::vector<Id> some;
  asked = 0, stop_at = 3;
  EXPECT_THROW(generate_one(model, {1, 2}, options, again, [&](Index, Id id) { return some.push_back(id), true; }), Interrupted);
  EXPECT_EQ(some, std::vector<Id>(whole.begin(), whole.begin() + 3));
  Rng third(1);
  EXPECT_EQ(generate_one(model, {1, 2}, options, third), whole);
}

}  // namespace
