// The ledger's numbers against bytes counted by hand, and what a frozen input saves.
#include "autograd/ledger.h"

#include <gtest/gtest.h>

#include <thread>

#include "autograd/ops.h"
#include "autograd/recompute.h"

namespace graft {
namespace {

std::size_t now(Category c) { return ledger()[c]; }
std::size_t bytes(Index numel) { return static_cast<std::size_t>(numel) * sizeof(real); }

TEST(Ledger, LeavesAreBookedAsTheyLearn) {
  const std::size_t trainable = now(Category::trainable), still = now(Category::frozen);
  Variable w = parameter(Tensor({10, 10}, 0));
  EXPECT_EQ(now(Category::trainable), trainable + bytes(100));
  w.learn(false);
  EXPECT_EQ(now(Category::trainable), trainable);
  EXPECT_EQ(now(Category::frozen), still + bytes(100));
  w = Variable();
  EXPECT_EQ(now(Category::frozen), still);
}

TEST(Ledger, GradientsOfLeavesAreGradients) {
  const std::size_t before = now(Category::gradient), temporary = now(Category::temporary);
  Variable w = parameter(Tensor({7, 3}, 1));
  sum(w * w).backward();
  EXPECT_EQ(now(Category::gradient), before + bytes(21));
  EXPECT_EQ(now(Category::temporary), temporary);
  w.clear_grad();
  EXPECT_EQ(now(Category::gradient), before);
}

TEST(Ledger, AViewAndAFrozenLeafStayWhereTheyAre) {
  const std::size_t viewed = ledger().saved_by_op["reshape"];
  const Variable x = Tensor({1000}, 1);
  const Variable view = reshape(x, {10, 100});
  EXPECT_EQ(ledger().saved_by_op["reshape"], viewed);
  reset_peaks();
  const std::size_t peak = ledger().peak[static_cast<int>(Category::trainable)];
  const Variable w = frozen(Tensor({1000}, 1));
  EXPECT_EQ(ledger().peak[static_cast<int>(Category::trainable)], peak);
}

TEST(Ledger, WhatTheHeadOfALossLearnsIsSaved) {
  const Variable x = parameter(Tensor({4, 4}, 1)), W = parameter(Tensor({100, 4}, 1));
  const std::size_t before = now(Category::saved);
  const Variable loss = cross_entropy_by_rows(x, Ids({4}, {1, 2, 3, 4}), [&](const Variable& rows) { return linear(rows, W); });
  EXPECT_EQ(now(Category::saved) - before, bytes(100 * 4 + 4 * 4 + 1));  // ∂W, ∂x and the loss
}

TEST(Ledger, SavedIsBookedByOp) {
  const Variable x = parameter(Tensor({4, 8}, 1)), g = parameter(Tensor({8}, 1)), b = parameter(Tensor({8}, 0));
  const Variable y = layer_norm(x, g, b);
  Ledger l = ledger();
  EXPECT_EQ(l.saved_by_op.at("layer_norm"), bytes(4 * 8 + 4 + 4));  // y, mean, 1/deviation
  const Variable a = causal_attention(reshape(y, {1, 2, 4, 4}), reshape(y, {1, 2, 4, 4}), reshape(y, {1, 2, 4, 4}));
  l = ledger();
  EXPECT_EQ(l.saved_by_op.at("causal_attention"), bytes(4 * 8 + 2 * 4));  // O and one log-sum-exp per query
  std::size_t sum_of_ops = 0;
  for (const auto& [op, n] : l.saved_by_op) sum_of_ops += n;
  EXPECT_EQ(sum_of_ops, l[Category::saved]);
}

TEST(Ledger, TotalIsTheSumOfTheCategories) {
  const Variable x = parameter(Tensor({4, 8}, 1));
  const Variable y = gelu(x);
  const Ledger l = ledger();
  std::size_t sum_of_all = 0;
  for (const std::size_t n : l.now) sum_of_all += n;
  EXPECT_EQ(sum_of_all, l.total_now);
  EXPECT_GE(l.total_peak, l.total_now);
}

TEST(Ledger, NoGradMakesTemporaries) {
  const Variable x = parameter(Tensor({4, 8}, 1));
  const std::size_t saved = now(Category::saved), temporary = now(Category::temporary);
  const NoGrad off;
  const Variable y = exp(x);
  EXPECT_EQ(now(Category::saved), saved);
  EXPECT_EQ(now(Category::temporary), temporary + bytes(32));
}

TEST(Ledger, ScopesTagAndNest) {
  const std::size_t optimizer = now(Category::optimizer), temporary = now(Category::temporary);
  const Tagged moments(Category::optimizer);
  const Tensor m({5}, 0);
  {
    const Tagged scratch(Category::temporary);
    const Tensor t({3}, 0);
    EXPECT_EQ(now(Category::temporary), temporary + bytes(3));
  }
  const Tensor v({5}, 0);
  EXPECT_EQ(now(Category::optimizer), optimizer + bytes(10));
}

TEST(Ledger, BytesOutsideOfTensorsRegisterThemselves) {
  const std::size_t mapped = now(Category::mapped);
  {
    Registered file(Category::mapped, 1000);
    EXPECT_EQ(now(Category::mapped), mapped + 1000);
    const Registered moved = std::move(file);
    EXPECT_EQ(now(Category::mapped), mapped + 1000);
  }
  EXPECT_EQ(now(Category::mapped), mapped);
}

TEST(Ledger, PeaksRememberAndReset) {
  reset_peaks();
  const std::size_t before = ledger().total_now;
  { const Tensor big({1000}, 0); }
  EXPECT_EQ(ledger().total_now, before);
  EXPECT_EQ(ledger().total_peak, before + bytes(1000));
  reset_peaks();
  EXPECT_EQ(ledger().total_peak, before);
}

// Proof (3): what a frozen input saves. Three linear layers; the middle weight learns, or all do.
TEST(Ledger, AnEdgeIntoAFrozenInputIsDroppedAndItsMemoryWithIt) {
  const Index rows = 16, width = 8;
  Variable W[3] = {parameter(Tensor({width, width}, 1)), parameter(Tensor({width, width}, 1)),
                   parameter(Tensor({width, width}, 1))};
  const auto saved_by_forward = [&] {
    const Variable x = Tensor({rows, width}, 1);
    const std::size_t before = now(Category::saved);
    const Variable y = linear(linear(linear(x, W[0]), W[1]), W[2]);
    return now(Category::saved) - before;
  };
  // All learn: each weight's gradient needs the layer's input: two inner activations; and y is alive itself.
  EXPECT_EQ(saved_by_forward(), bytes(3 * rows * width));
  // Only the first learns: its input is x; what flows back through the others needs their weights only.
  W[1].learn(false);
  W[2].learn(false);
  EXPECT_EQ(saved_by_forward(), bytes(rows * width));
  // Only the middle one: its input, and y.
  W[0].learn(false);
  W[1].learn(true);
  EXPECT_EQ(saved_by_forward(), bytes(2 * rows * width));
  // Elementwise: a frozen factor needs no saved x.
  const Variable f = frozen(Tensor({width}, 2));
  Variable x = parameter(Tensor({rows, width}, 1));
  const std::size_t before = now(Category::trainable);
  const Variable y = x * f;
  x = Variable();  // nobody else holds x: the graph does not either
  EXPECT_EQ(now(Category::trainable), before - bytes(rows * width));
}

TEST(Ledger, AttentionMemoryGrowsLinearlyInTime) {
  const auto extra = [&](Index T) {
    const Variable q = parameter(Tensor({1, 2, T, 8}, 1));
    const std::size_t before = ledger().total_now;
    reset_peaks();
    sum(causal_attention(q, q, q)).backward();
    return ledger().total_peak - before;
  };
  EXPECT_LT(extra(512), 2.1 * static_cast<double>(extra(256)));
}

TEST(Ledger, FusedLossNeverHoldsTheFullLogits) {
  const Index N = 2048, D = 4, V = 8192;  // full logits: 64 MiB in float
  Rng rng(1);
  const Variable x = parameter(normal({N, D}, 0, 1, rng)), W = parameter(normal({V, D}, 0, 1, rng));
  std::vector<Id> labels(N, 5);
  const std::size_t before = ledger().total_now;
  reset_peaks();
  linear_cross_entropy(x, W, Ids({N}, labels)).backward();
  EXPECT_LT(ledger().total_peak - before, bytes(N * V) * 7 / 10);
  for (Index i = 100; i < N; ++i) labels[i] = ignored;  // ignored rows cost nothing
  reset_peaks();
  linear_cross_entropy(x, W, Ids({N}, labels)).backward();
  EXPECT_LT(ledger().total_peak - before, bytes(100 * V) * 12 / 10);
}

TEST(Ledger, CountsFromSeveralThreads) {
  const std::size_t before = ledger().total_now;
  std::vector<std::thread> workers;
  for (int t = 0; t < 4; ++t)
    workers.emplace_back([] {
      for (int i = 0; i < 2000; ++i) {
        const Variable w = parameter(Tensor({3}, 1));
        sum(w * w).backward();
      }
    });
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(ledger().total_now, before);
}

TEST(Ledger, PrintsEveryCategory) {
  const std::string table = ledger().str();
  for (int c = 0; c < categories; ++c) EXPECT_NE(table.find(name(static_cast<Category>(c))), std::string::npos);
}

}  // namespace
}  // namespace graft
