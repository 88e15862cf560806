// The key/value cache: token by token equals the full forward, rows of different lengths included; under NoGrad appending
// copies nothing old; gradients flow through a memory.
#include "autograd/sizes.h"
#include "nn/past.h"

#include <gtest/gtest.h>

#include "nn/generate.h"
#include "tests/nn/fixture.h"

namespace graft {
namespace {

using namespace fixture;

// Sums in another order: some 1e-5 in float (2.3e-5 was seen), and nearly nothing in double, which is the sharper test.
constexpr double tolerance = sizeof(real) == 8 ? 1e-10 : 1e-4;
using Rows = std::vector<std::vector<Id>>;

Rows random_rows(const std::vector<Index>& lengths, Index V, std::uint64_t seed) {
  Rng rng(seed);
  Rows rows;
  for (const Index n : lengths) {
    rows.emplace_back();
    for (Index i = 0; i < n; ++i) rows.back().push_back(static_cast<Id>(rng.below(V)));
  }
  return rows;
}

/// A memory with trainable keys and values for every layer.
struct Remembered : Memory {
  Param k, v;  // (layers, G, P, D)
  Remembered(const Shape& shape, Rng& rng) : k(*this, "k", shape), v(*this, "v", shape) {
    k.set(normal(shape, 0, 1, rng));
    v.set(normal(shape, 0, 1, rng));
  }
  std::string kind() const override { return "Remembered"; }
  Index length() const override { return k.shape()[2]; }
  Past operator()(Index batch) override {
    Past past;
    for (Index i = 0; i < k.shape()[0]; ++i) {
      const auto layer = [&](const Variable& x) {
        return expand(reshape(slice(x, 0, i, i + 1), {x.dim(1), x.dim(2), x.dim(3)}), batch);
      };
      past.layers.emplace_back(layer(k), layer(v));
    }
    past.lengths.assign(static_cast<std::size_t>(batch), length());
    return past;
  }
};

Shape memory_shape(const Model& m, Index positions) {
  if (const auto* g = dynamic_cast<const Gpt2*>(&m))
    return {g->config.layers, g->config.heads, positions, g->config.dim / g->config.heads};
  const auto& c = dynamic_cast<const Llama&>(m).config;
  return {c.layers, c.kv_heads, positions, c.head_dim ? c.head_dim : c.dim / c.heads};
}

class Cache : public testing::TestWithParam<std::string> {
 protected:
  Built b = build(GetParam());
  Model& m = *b.model;

  /// Rows of different lengths: the first `prompt[b]` tokens at once, padded, then one token at a time, each against the
  /// full forward of its row alone.
  void expect_step_by_step(const std::vector<Index>& prompt, Index steps, Index reserve) {
    const NoGrad no_grad;
    std::vector<Index> lengths;
    for (const Index n : prompt) lengths.push_back(n + steps);
    const Rows rows = random_rows(lengths, m.vocabulary(), 5);
    std::vector<Tensor> full;
    for (const auto& row : rows) full.push_back(m(row_of(row)).value());

    Rows starts;
    for (std::size_t r = 0; r < rows.size(); ++r) starts.emplace_back(rows[r].begin(), rows[r].begin() + prompt[r]);
    const Batch start = padded(starts, 2);
    Past past = m.begin(size_of(rows));
    past.reserve = reserve;
    const std::vector<Index> before = past.lengths;
    const Tensor first = m.output()(m.hidden(Templated::raw(start.ids, start.lengths), past)).value();
    const Index T = start.ids.shape()[1];
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const Index at = static_cast<Index>(r) * T;
      EXPECT_LE(apart(rows_of(first, at, at + prompt[r]), rows_of(full[r], 0, prompt[r])), tolerance) << "prompt " << r;
    }
    for (Index s = 0; s < steps; ++s) {
      std::vector<Id> next;
      for (std::size_t r = 0; r < rows.size(); ++r) next.push_back(nth(rows[r], prompt[r] + s));
      const Index n = size_of(next);
      const Tensor logits = m(Ids({n, 1}, next), past).value();
      for (std::size_t r = 0; r < rows.size(); ++r) {
        const Index i = static_cast<Index>(r), t = prompt[r] + s;
        EXPECT_LE(apart(rows_of(logits, i, i + 1), rows_of(full[r], t, t + 1)), tolerance) << "row " << r << " step " << s;
      }
    }
    for (std::size_t r = 0; r < rows.size(); ++r) EXPECT_EQ(past.lengths[r], before[r] + lengths[r]);
  }
};

TEST_P(Cache, StepByStepEqualsTheFullForward) {
  expect_step_by_step({4, 4}, 7, 0);
  expect_step_by_step({4, 4}, 7, 20);
}
TEST_P(Cache, RowsOfDifferentLengths) {
  expect_step_by_step({1, 9, 4}, 6, 0);
  expect_step_by_step({1, 9, 4}, 6, 20);
}
TEST_P(Cache, AfterAMemory) {
  Rng rng(3);
  m.memory.put(std::make_unique<Remembered>(memory_shape(m, 3), rng));
  expect_step_by_step({1, 6, 4}, 5, 0);
  expect_step_by_step({1, 6, 4}, 5, 20);
}

TEST_P(Cache, AMemoryIsNotWrittenOver) {
  Rng rng(3);
  auto memory = std::make_unique<Remembered>(memory_shape(m, 3), rng);
  const std::vector<real> before = memory->k.value().values();
  const Param& k = memory->k;
  m.memory.put(std::move(memory));
  const NoGrad no_grad;
  const Ids ids = row_of({4, 5, 6});
  const Tensor once = m(ids).value(), twice = m(ids).value();
  EXPECT_EQ(once.values(), twice.values());
  EXPECT_EQ(k.value().values(), before);
}

TEST_P(Cache, RecordedStepsEqualTheFullForwardAndItsGradients) {
  const std::vector<Id> row = random_rows({6}, m.vocabulary(), 8)[0];
  const auto gradients = [&](const Variable& y) {
    Rng rng(9);
    y.backward(normal(y.shape(), 0, 1, rng));
    std::vector<Numbers> all;
    for (const auto& p : b.root->parameters()) {
      Variable v = p.second->variable();
      all.push_back(table::numbers(v.grad()));
      v.clear_grad();
    }
    return all;
  };
  const Variable full = m(row_of(row));
  Past past = m.begin(1);
  std::vector<Variable> parts;
  for (const auto& piece : {std::make_pair(0, 3), std::make_pair(3, 4), std::make_pair(4, 6)})
    parts.push_back(m(row_of({row.begin() + piece.first, row.begin() + piece.second}), past));
  const Variable pieces = concat(parts, 1);
  EXPECT_LE(apart(table::numbers(pieces.value()), table::numbers(full.value())), tolerance);
  const auto expected = gradients(full), ours = gradients(pieces);
  for (std::size_t i = 0; i < ours.size(); ++i) EXPECT_LE(table::distance(ours[i], expected[i], 1), tolerance) << i;
}

/// Shifting along a random direction in the memory changes the logits as the gradient says.
class SmoothCache : public Cache {};  // differences across relu's kink say nothing
TEST_P(SmoothCache, GradientsReachTheMemory) {
  Rng rng(3);
  auto made = std::make_unique<Remembered>(memory_shape(m, 2), rng);
  Remembered& memory = *made;
  m.memory.put(std::move(made));
  const Ids ids({2, 3}, {4, 5, 6, 7, 8, 9});
  const Variable y = m(ids);
  const Tensor R = normal(y.shape(), 0, 1, rng);
  y.backward(R);
  const double h = sizeof(real) == 8 ? 1e-5 : 1e-2, bound = sizeof(real) == 8 ? 1e-7 : 2e-3;
  for (Param* p : {&memory.k, &memory.v}) {
    const Tensor grad = p->variable().grad(), direction = normal(p->shape(), 0, 1, rng), start = p->value().clone();
    ASSERT_TRUE(grad.defined());
    double slope = 0, size = 0;
    for (Index i = 0; i < grad.numel(); ++i) slope += grad[i] * direction[i], size += std::abs(grad[i] * direction[i]);
    const auto moved = [&](double step) {
      const NoGrad no_grad;
      Tensor numbers = p->value();
      real* w = numbers.write();
      for (Index i = 0; i < grad.numel(); ++i) w[i] = static_cast<real>(start[i] + step * direction[i]);
      const Tensor z = m(ids).value();
      double sum = 0;
      for (Index i = 0; i < z.numel(); ++i) sum += static_cast<double>(z[i]) * R[i];
      numbers.copy_from(start);
      return sum;
    };
    const double difference = (8 * (moved(h) - moved(-h)) - (moved(2 * h) - moved(-2 * h))) / (12 * h);
    EXPECT_NEAR(difference, slope, bound * size);
  }
}

INSTANTIATE_TEST_SUITE_P(All, SmoothCache, testing::Values("gpt2", "llama", "llama_tied", "llama_llama3"),
                         [](const auto& info) { return info.param; });
INSTANTIATE_TEST_SUITE_P(All, Cache, testing::Values("gpt2", "gpt2_relu", "llama", "llama_tied", "llama_llama3"),
                         [](const auto& info) { return info.param; });

// --- KeyValue by itself ------------------------------------------------------------------------------------------------

Variable filled(Index B, Index T, real value) { return Variable(Tensor(Shape{B, 2, T, 3}, value)); }

TEST(KeyValue, AppendingCopiesNothingWhileRoomLasts) {
  const NoGrad no_grad;
  KeyValue kv;
  kv.append(filled(2, 4, 1), filled(2, 4, 2), {0, 0}, 16);
  ASSERT_GE(kv.capacity(), 16);
  const real *k = kv.k().value().data(), *v = kv.v().value().data();
  for (Index t = 4; t < 16; ++t) {
    kv.append(filled(2, 1, static_cast<real>(t)), filled(2, 1, static_cast<real>(-t)), {t, t - 2});
    EXPECT_EQ(kv.k().value().data(), k) << t;
    EXPECT_EQ(kv.v().value().data(), v) << t;
  }
  EXPECT_EQ(kv.k().value().at({0, 1, 7, 2}), 7);
  EXPECT_EQ(kv.k().value().at({1, 1, 7, 2}), 9);  // row 1 is two behind
  EXPECT_EQ(kv.v().value().at({0, 0, 0, 0}), 2);
  kv.append(filled(2, 1, 99), filled(2, 1, 98), {16, 14});
  EXPECT_GE(kv.capacity(), 17);
  EXPECT_EQ(kv.k().value().at({0, 1, 7, 2}), 7) << "growing keeps what was there";
  EXPECT_EQ(kv.k().value().at({0, 0, 16, 0}), 99);
  EXPECT_EQ(kv.v().value().at({1, 0, 14, 0}), 98);
}

TEST(KeyValue, GrowingIsRare) {
  const NoGrad no_grad;
  KeyValue kv;
  int moves = 0;
  const real* at = nullptr;
  for (Index t = 0; t < 256; ++t) {
    kv.append(filled(1, 1, 0), filled(1, 1, 0), {t});
    moves += kv.k().value().data() != at;
    at = kv.k().value().data();
  }
  EXPECT_LE(moves, 12);
}

TEST(KeyValue, ACopyIsNotWrittenInto) {
  const NoGrad no_grad;
  KeyValue kv;
  kv.append(filled(1, 2, 1), filled(1, 2, 1), {0}, 8);
  const KeyValue kept = kv;
  kv.append(filled(1, 1, 5), filled(1, 1, 5), {1});
  EXPECT_EQ(kept.k().value().at({0, 0, 1, 0}), 1);
  EXPECT_EQ(kv.k().value().at({0, 0, 1, 0}), 5);
}

TEST(KeyValue, KeepsRows) {
  const NoGrad no_grad;
  Tensor t(Shape{3, 1, 1, 1}, std::vector<real>{10, 11, 12});
  KeyValue kv{Variable(t), Variable(t)};
  kv.keep_rows({2, 0});
  EXPECT_EQ(kv.k().value().values(), (std::vector<real>{12, 10}));
  Past past;
  past.layers = {kv}, past.lengths = {1, 1};
  EXPECT_THROW(past.keep_rows({2}), IndexError);
}

TEST(KeyValue, Errors) {
  KeyValue kv;
  EXPECT_THROW(KeyValue(filled(1, 2, 0), filled(1, 3, 0)), ShapeError);
  EXPECT_THROW(kv.append(filled(1, 2, 0), filled(1, 3, 0), {0}), ShapeError);
  EXPECT_THROW(kv.append(filled(2, 2, 0), filled(2, 2, 0), {0}), ShapeError);
  kv.append(filled(2, 3, 0), filled(2, 3, 0), {0, 0});
  EXPECT_THROW(kv.append(filled(1, 1, 0), filled(1, 1, 0), {3}), ShapeError);
  EXPECT_THROW(kv.append(filled(2, 1, 0), filled(2, 1, 0), {3, 2}), ValueError);  // while gradients are recorded
  EXPECT_THROW(kv.append(filled(2, 1, 0), filled(2, 1, 0), {-1, -1}), ValueError);
  EXPECT_THROW(kv.keep_rows({0}), ValueError) << "it would cut the history";
  Past past;
  past.lengths = {0, 0}, past.layers = {kv};
  EXPECT_THROW(past.expect_fits(3, 1), ShapeError);
  EXPECT_THROW(past.expect_fits(2, 2), ShapeError);
}

}  // namespace
}  // namespace graft
