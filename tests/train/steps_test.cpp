// The plain loop against the same loop written out, and what it refuses.
#include "train/steps.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/ops.h"
#include "nn/layers.h"
#include "train/data.h"
#include "tokenizer/train.h"
#include "train/optimizer.h"

namespace {

using namespace graft;

struct Line : Module {
  std::string kind() const override { return "Line"; }
  Param W{*this, "W", {1, 2}}, b{*this, "b", {1}};
  Line() {
    W.set(Tensor({1, 2}, {1, -1}));
    b.set(Tensor({1}, real(0.5)));
  }
  Variable loss() { return mean(square(linear(Tensor({3, 2}, {1, 2, 0, 1, 3, 1}), W, b) - Tensor({3, 1}, {1, 0, 2}))); }
  static Variable square(const Variable& x) { return x * x; }
};

TEST(Steps, EqualTheLoopWrittenOut) {
  Line a, b;
  std::vector<double> wanted;
  train::AdamW optimizer(b.parameters());
  optimizer.decay = 0;
  for (int step = 0; step < 20; ++step) {
    const Variable now = b.loss();
    wanted.push_back(static_cast<double>(now.item()));
    now.backward();
    optimizer.step(real(0.05));
    optimizer.clear_gradients();
  }
  std::vector<double> seen;
  std::vector<Index> counted;
  const std::vector<double> got = train::steps(a, 20, 0.05, [&] { return a.loss(); }, [&](Index step, double loss) {
    counted.push_back(step);
    seen.push_back(loss);
  });
  EXPECT_EQ(got, wanted);
  EXPECT_EQ(seen, wanted);
  EXPECT_EQ(counted.front(), 0);
  EXPECT_EQ(counted.back(), 19);
  EXPECT_EQ(a.W.value().values(), b.W.value().values());
  EXPECT_LT(got.back(), got.front());
}

TEST(Steps, TrainOnlyWhatLearnsAndLeaveNoGradient) {
  Line line;
  line.b.learn(false);
  line.loss().backward();  // a gradient from before must not count
  Line fresh;
  fresh.b.learn(false);
  train::steps(line, 1, 0.05, [&] { return line.loss(); });
  train::steps(fresh, 1, 0.05, [&] { return fresh.loss(); });
  EXPECT_EQ(line.W.value().values(), fresh.W.value().values());
  EXPECT_EQ(line.b.value()[0], real(0.5));
  EXPECT_FALSE(line.W.variable().grad().defined());
}

TEST(Steps, WhatIsThrownInBetweenKeepsWhatWasLearned) {
  Line line;
  EXPECT_THROW(train::steps(line, 9, 0.05, [&] { return line.loss(); },
                            [](Index step, double) {
                              if (step == 2) throw std::runtime_error("enough");
                            }),
               std::runtime_error);
  Line three;
  train::steps(three, 3, 0.05, [&] { return three.loss(); });
  EXPECT_EQ(line.W.value().values(), three.W.value().values());
}

TEST(Steps, RefuseWhatCannotBeTrained) {
  Line line;
  EXPECT_THROW(train::steps(line, -1, 0.05, [&] { return line.loss(); }), ValueError);
  const std::vector<real> before = line.W.value().values();
  EXPECT_THROW(train::steps(line, 3, 0.05, [&] { return line.loss() * real(NAN); }), ValueError);
  EXPECT_EQ(line.W.value().values(), before);
  line.learn(false);
  EXPECT_THROW(train::steps(line, 3, 0.05, [&] { return line.loss(); }), ValueError);
}

TEST(Lines, AsABatchAreThePaddedRowsAndAllTheirTokensAreLabels) {
  const Tokenizer tokenizer = train_tokenizer({"a b"}, 257);
  const Batch batch = train::batch(tokenizer, {"abc", "d"});
  EXPECT_EQ(batch.ids.shape(), (Shape{2, 3}));
  EXPECT_EQ(batch.lengths, (std::vector<Index>{3, 1}));
  EXPECT_EQ(batch.labels[2], batch.ids[2]);
  EXPECT_EQ(batch.labels[3], batch.ids[3]);
  EXPECT_EQ(batch.labels[4], ignored);
  EXPECT_EQ(batch.answers, batch.lengths);
  EXPECT_THROW(train::batch(tokenizer, std::vector<std::string>{}), ValueError);
  EXPECT_THROW(train::batch(tokenizer, {"a", ""}), ValueError);
}

TEST(Lines, OfPromptsWithAnswersOnlyTheAnswersAreLabels) {
  const Tokenizer tokenizer = train_tokenizer({"a b"}, 257);
  const Batch batch = train::batch(tokenizer, {"ab", "c"}, {"x", "yz"});
  const Batch lines = train::batch(tokenizer, {"abx", "cyz"});
  EXPECT_EQ(batch.ids.values(), lines.ids.values());
  EXPECT_EQ(batch.lengths, lines.lengths);
  EXPECT_EQ(batch.answers, (std::vector<Index>{2, 1}));
  std::vector<Id> wanted = lines.labels.values();
  for (const std::size_t prompt : {0, 1, 3}) wanted[prompt] = ignored;
  EXPECT_EQ(batch.labels.values(), wanted);
  const std::vector<std::string> one{"a"}, two{"a", "b"}, none, empty{""};
  EXPECT_THROW(train::batch(tokenizer, two, one), ValueError);
  EXPECT_THROW(train::batch(tokenizer, none, none), ValueError);
  EXPECT_THROW(train::batch(tokenizer, one, empty), ValueError);
}

}  // namespace
