// Products with packed matrices against the dense products of the same numbers: values, gradients, threads, memory, errors.
#include "autograd/packed.h"

#include <gtest/gtest.h>

#include "autograd/ops.h"
#include "autograd/threads.h"
#include "tests/autograd/blocks.h"
#include "tests/autograd/compare.h"
#include "tests/autograd/gradient_check.h"

namespace graft::table {
namespace {

constexpr double tolerance = sizeof(real) == 8 ? 1e-14 : 1e-6;  // in the norm; sums of at most 1536 products

Tensor random(const Shape& shape, std::uint64_t seed = 1) {
  Rng rng(seed);
  return normal(shape, 0, 1, rng);
}

/// A packed matrix of the user's: numbers it has in memory, with nothing fast about it.
struct Plain : PackedMatrix {
  explicit Plain(Tensor numbers) : PackedMatrix(numbers.dim(0), numbers.dim(1)), numbers(std::move(numbers)) {}
  std::string format() const override { return "plain"; }
  std::size_t bytes() const override { return numbers.bytes(); }
  void unpack(Index first, Index count, real* to) const override {
    std::copy_n(numbers.data() + first * cols(), count * cols(), to);
  }
  Tensor numbers;
};

void expect_like_dense(const Packed& W, Index n) {
  SCOPED_TRACE(text(W->format(), ' ', W->rows(), " x ", W->cols(), ", ", n, " rows of x"));
  const Variable V = frozen(dense(*W));
  const Variable ours = parameter(random({n, W->cols()})), expected = parameter(ours.value().clone());
  const Variable y = linear(ours, W), z = linear(expected, V);
  ASSERT_EQ(y.shape(), z.shape());
  EXPECT_LE(distance(y.value(), z.value()), tolerance);
  const Tensor dy = random(y.shape(), 2);
  y.backward(dy);
  z.backward(dy);
  EXPECT_LE(distance(ours.grad(), expected.grad()), tolerance);
}

TEST(Packed, LinearIsTheDenseProduct) {
  for (const BlockFormat format : block_formats())
    for (const Index N : {1, 37}) {
      const Blocks blocks = random_blocks(format, N, some_cols(format));
      for (const Index n : {1, 2, 3, 4, 5, 7, 16, 33}) expect_like_dense(blocks.matrix(), n);
    }
}

TEST(Packed, LargerThanAPanelAndAThreadsPart) {
  for (const BlockFormat format : {BlockFormat::q4_1, BlockFormat::q8_0, BlockFormat::f16}) {
    const Blocks tall = random_blocks(format, 531, 576), wide = random_blocks(format, 203, 1536);
    for (const Index n : {1, 4, 5, 48, 131, 300}) {
      expect_like_dense(tall.matrix(), n);
      expect_like_dense(wide.matrix(), n);
    }
  }
  expect_like_dense(random_blocks(BlockFormat::q4_K, 70, 4096).matrix(), 20);  // fewer than 48 rows fit a panel
}

TEST(Packed, MatricesThatKnowOnlyHowToUnpack) {
  for (const Index n : {1, 3, 4, 5, 65}) expect_like_dense(std::make_shared<Plain>(random({301, 67})), n);
}

TEST(Packed, RowsOfAnyRank) {
  const Blocks blocks = random_blocks(BlockFormat::q5_1, 6, 64);
  const Packed W = blocks.matrix();
  const Variable V = dense(*W);
  for (const Shape& shape : {Shape{64}, Shape{1, 64}, Shape{2, 3, 64}, Shape{3, 2, 2, 64}, Shape{0, 64}}) {
    const Variable x = random(shape);
    EXPECT_EQ(linear(x, W).shape(), shape.with(-1, 6));
    EXPECT_LE(distance(linear(x, W).value(), linear(x, V).value()), tolerance);
  }
}

TEST(Packed, TheSameForAnyNumberOfThreads) {
  const int before = threads();
  for (const BlockFormat format : {BlockFormat::q4_1, BlockFormat::q6_K, BlockFormat::f32}) {
    const Blocks blocks = random_blocks(format, 1001, 768);
    for (const Index n : {1, 3, 5, 100}) {
      const Tensor x = random({n, 768}), dy = random({n, 1001}, 2);
      threads(1);
      const Tensor y = kernel::packed_nt(x, *blocks.matrix()), dx = kernel::packed_nn(dy, *blocks.matrix());
      threads(2);
      const Tensor y2 = kernel::packed_nt(x, *blocks.matrix()), dx2 = kernel::packed_nn(dy, *blocks.matrix());
      EXPECT_LE(distance(y2, y), tolerance);
      EXPECT_LE(distance(dx2, dx), tolerance);
      EXPECT_EQ(y2.values(), kernel::packed_nt(x, *blocks.matrix()).values());
    }
  }
  threads(before);
}

TEST(Packed, Lookup) {
  for (const BlockFormat format : block_formats()) {
    SCOPED_TRACE(name(format));
    const Blocks blocks = random_blocks(format, 11, some_cols(format));
    const Packed W = blocks.matrix();
    const Ids ids({2, 3}, {0, 10, 3, 3, 7, 1});
    const Variable y = lookup(W, ids);
    EXPECT_EQ(y.shape(), Shape({2, 3, blocks.cols}));
    EXPECT_FALSE(y.learns());
    EXPECT_EQ(y.value().values(), lookup(Variable(dense(*W)), ids).value().values());
    EXPECT_EQ(lookup(W, Ids({0}, {})).shape(), Shape({0, blocks.cols}));
  }
}

// --- memory -----------------------------------------------------------------------------------------------------------

TEST(Packed, BackwardKeepsOnlyTheHandle) {
  const Blocks blocks = random_blocks(BlockFormat::q4_0, 96, 64);
  Packed W = blocks.matrix();
  const Variable x = parameter(random({8, 64}));
  const Ledger before = ledger();
  Variable y = linear(x, W);
  EXPECT_EQ(W.use_count(), 2);
  EXPECT_EQ(ledger()[Category::saved] - before[Category::saved], y.value().bytes());
  EXPECT_EQ(ledger().saved_by_op.at("linear"), y.value().bytes());
  EXPECT_EQ(ledger()[Category::temporary], before[Category::temporary]);
  y.backward(Tensor(y.shape(), 1));
  EXPECT_EQ(W.use_count(), 1);

  const Variable frozen_y = linear(random({8, 64}), W);
  EXPECT_FALSE(frozen_y.learns());
  EXPECT_EQ(W.use_count(), 1);
}

TEST(Packed, AProductNeverHoldsMoreThanAPanel) {
  const Blocks blocks = random_blocks(BlockFormat::q8_0, 8192, 512);  // 16 MiB of floats
  const Packed W = blocks.matrix();
  const NoGrad no_history;
  for (const Index n : {1, 4, 64}) {
    const Tensor x = random({n, 512}), dy = random({n, 8192});
    Tensor y, dx;
    const std::size_t before = ledger().total_now;
    reset_peaks();
    y = kernel::packed_nt(x, *W);
    dx = kernel::packed_nn(dy, *W);
    const std::size_t results = y.bytes() + dx.bytes();
    EXPECT_LE(ledger().total_peak - before,
              results + x.bytes() + dy.bytes() + static_cast<std::size_t>(threads()) * sizeof(real) * 200000)
        << n;
    EXPECT_EQ(ledger().total_now - before, results) << n;
    reset_peaks();
  }
}

// --- gradients --------------------------------------------------------------------------------------------------------

#ifdef GRAFT_DOUBLE
TEST(Packed, GradientsAreCentralDifferences) {
  for (const BlockFormat format : block_formats())
    for (const Index n : {2, 6}) {
      const Blocks blocks = random_blocks(format, 5, some_cols(format));
      const Packed W = blocks.matrix();
      const Worst worst = gradient_check([&](const std::vector<Variable>& x) { return linear(x[0], W); },
                                         {random({n, blocks.cols})}, random({n, 5}, 2));
      EXPECT_LE(worst.error, 1e-7) << name(format) << ' ' << worst.where;
    }
}
#endif

// --- errors -----------------------------------------------------------------------------------------------------------

template <class E, class F>
std::string message(const F& f) {
  try {
    f();
  } catch (const E& e) { return e.what(); }
  return "no such error";
}

TEST(Packed, Errors) {
  const Blocks blocks = random_blocks(BlockFormat::q4_1, 6, 64);
  const Packed W = blocks.matrix();
  const auto has = [](const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; };
  EXPECT_PRED2(has, message<ShapeError>([&] {
                 linear(Tensor({3, 63}, 1), W);
               }),
               "has 63 features but W [6, 64] (Q4_1) takes 64");
  EXPECT_PRED2(has, message<ShapeError>([&] { linear(Tensor(Shape{}, 1), W); }), "at least one row");
  EXPECT_PRED2(has, message<ValueError>([&] { linear(Variable(), W); }), "empty");
  EXPECT_PRED2(has, message<ValueError>([&] { linear(Tensor({3, 64}, 1), Packed()); }), "empty");
  EXPECT_PRED2(has, message<ValueError>([&] { lookup(Packed(), Ids{1}); }), "empty");
  EXPECT_PRED2(has, message<IndexError>([&] {
                 lookup(W, Ids{1, 6});
               }),
               "id 6 at position 1 of ids [2] is not a row of the table; its 6 rows");
  EXPECT_PRED2(has, message<IndexError>([&] { lookup(W, Ids{-1}); }), "id -1");
  EXPECT_THROW(Plain(Tensor(Shape{2}, 1)), IndexError);
}

}  // namespace
}  // namespace graft::table
