// One and two threads give the same numbers to rounding, and the same thread count twice gives the same bits: for every op of
// the table at sizes that are shared among threads, for values and gradients, and for the kernels by themselves.
#include "autograd/threads.h"

#include <gtest/gtest.h>

#include <cctype>
#include <limits>
#include <map>
#include <string>

#include "autograd/kernels.h"
#include "tests/autograd/compare.h"
#include "tests/autograd/ops_table.h"

namespace graft::table {
namespace {

/// Sums are cut differently by each thread count; a few dozen roundings in the norm.
constexpr double tolerance = 64 * std::numeric_limits<real>::epsilon();

/// Sets the thread count back at the end of a test.
struct WithThreads {
  int before = threads();
  ~WithThreads() { threads(before); }
};

Ids cycle(const Shape& shape, Index below, bool some_ignored) {
  std::vector<Id> ids;
  for (Index i = 0; i < shape.numel(); ++i)
    ids.push_back(some_ignored && i % 5 == 0 ? ignored : static_cast<Id>(i * 7919 % below));
  return Ids(shape, std::move(ids));
}

/// A case of each op with far more than the 32768 elementary operations from which a loop is shared.
std::map<std::string, Case> large() {
  const Case pair{{{2, 131, 521}, {521}}}, single{{{2, 131, 521}}};
  std::map<std::string, Case> cases{
      {"linear", {{{2, 150, 130}, {170, 130}}}},
      {"linear (bias)", {{{2, 150, 130}, {170, 130}, {170}}}},
      {"matmul", {{{3, 65, 70}, {3, 70, 90}}}},
      {"matmul_nt", {{{3, 65, 70}, {3, 90, 70}}}},
      {"layer_norm", {{{2, 131, 521}, {521}, {521}}}},
      {"rms_norm", {{{2, 131, 521}, {521}}}},
      {"sum (axis)", {{{131, 40, 33}}, {{}, {1}}}},
      {"mean (axis)", {{{2, 1000, 65}}, {{}, {1}}}},
      {"reshape", {{{131, 522}}, {{}, {522, 131}}}},
      {"concat", {{{131, 400}, {131, 300}}, {{}, {1}}}},
      {"slice", {{{131, 1000}}, {{}, {1, 100, 900}}}},
      {"split_heads", {{{3, 131, 240}}, {{}, {6}}}},
      {"merge_heads", {{{3, 6, 131, 40}}}},
      {"expand", {{{131, 521}}, {{}, {3}}}},
      {"lookup", {{{201, 130}}, {cycle({2, 500}, 201, false)}}},
      {"lookup (two tables)", {{{201, 130}, {17, 130}}, {cycle({2, 500}, 218, false)}}},
      {"rotary", {{{3, 6, 131, 40}}, {cycle({131}, 131, false)}}},
      {"causal_attention", {{{2, 6, 150, 24}, {2, 3, 180, 24}, {2, 3, 180, 24}}, {{}, {30, 11}}}},
      {"cross_entropy", {{{2, 131, 521}}, {cycle({2, 131}, 521, true)}}},
      {"linear_cross_entropy", {{{2, 131, 65}, {1031, 65}}, {cycle({2, 131}, 1031, true)}}},
      {"cross_entropy_by_rows", {{{2, 131, 33}, {65, 33}, {521, 65}}, {cycle({2, 131}, 521, true), {100}}}},
  };
  for (const Op& op : ops())
    if (!cases.count(op.name)) cases[op.name] = op.cases.front().shapes.size() == 2 ? pair : single;
  return cases;
}

struct Result {
  Tensor y;
  std::vector<Tensor> gradients;
};
Result run(const Op& op, const Case& c, int count) {
  threads(count);
  Inputs x;
  for (const Tensor& t : inputs_for(c, op.range)) x.push_back(parameter(scale(t, real(0.5)).value()));  // tamer scores and exps
  const Variable y = op.f(x, c.extra);
  y.backward(seed_for(y.shape()));
  Result r{y.value(), {}};
  for (const Variable& v : x) r.gradients.push_back(v.grad());
  return r;
}

struct ThreadsTest : testing::TestWithParam<Op> {};

TEST_P(ThreadsTest, OneAndTwoAgreeAndEachRepeatsItsBits) {
  const WithThreads restore;
  const Op& op = GetParam();
  const Case c = large().at(op.name);
  std::vector<Result> first;
  for (const int count : {1, 2, 3}) {
    const Result a = run(op, c, count), b = run(op, c, count);
    EXPECT_EQ(a.y.values(), b.y.values()) << count << " threads";
    for (std::size_t i = 0; i < a.gradients.size(); ++i)
      EXPECT_EQ(a.gradients[i].values(), b.gradients[i].values()) << count << " threads, gradient " << i;
    first.push_back(a);
  }
  for (const Result& many : {first[1], first[2]}) {
    EXPECT_LE(distance(many.y, first[0].y), tolerance);
    for (std::size_t i = 0; i < many.gradients.size(); ++i)
      EXPECT_LE(distance(many.gradients[i], first[0].gradients[i]), tolerance) << "gradient " << i;
  }
}
std::string test_name(const testing::TestParamInfo<Op>& info) {
  std::string name;
  for (const char c : info.param.name) name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
}
INSTANTIATE_TEST_SUITE_P(Every, ThreadsTest, testing::ValuesIn(ops()), test_name);

/// Dropout draws number i by its place: the mask is that of one thread, bit for bit.
TEST(Threads, DropoutAndTotalDoNotDependOnTheCount) {
  const WithThreads restore;
  Rng rng(1);
  const Tensor x = normal({1'000'003}, 0, 1, rng);
  threads(1);
  const Tensor y = kernel::dropout(x, real(0.3), 5);
  const real total = kernel::total(x);
  for (const int count : {2, 3}) {
    threads(count);
    EXPECT_EQ(kernel::dropout(x, real(0.3), 5).values(), y.values());
    EXPECT_EQ(kernel::total(x), total);
  }
}

/// A whole small model, twice: the same bits in every gradient.
TEST(Threads, ABlockTrainsToTheSameBits) {
  const WithThreads restore;
  threads(2);
  const auto train = [] {
    Rng rng(7);
    const Index D = 64, V = 301;
    const Variable table = parameter(normal({V, D}, 0, real(0.1), rng)), W = parameter(normal({D, D}, 0, real(0.1), rng)),
                   gain = parameter(Tensor(Shape{D}, 1));
    const Ids ids = cycle({4, 65}, V, false), labels = cycle({4, 65}, V, true);
    std::vector<real> losses;
    for (int step = 0; step < 3; ++step) {
      const Variable x = rms_norm(lookup(table, ids), gain);
      const Variable h = split_heads(linear(x, W), 4);
      const Variable y = x + dropout(merge_heads(causal_attention(h, h, h)), real(0.1), rng);
      const Variable loss = linear_cross_entropy(gelu(y), table, labels);
      for (const Variable* p : {&table, &W, &gain}) Variable(*p).clear_grad();
      loss.backward();
      for (const Variable* p : {&table, &W, &gain}) {
        Tensor w = p->value();
        real* out = w.write();
        for (Index i = 0; i < w.numel(); ++i) out[i] -= real(0.1) * p->grad()[i];
      }
      losses.push_back(loss.item());
    }
    for (const real v : table.value().values()) losses.push_back(v);
    return losses;
  };
  EXPECT_EQ(train(), train());
}

TEST(Threads, CountIsKeptAndChecked) {
  const WithThreads restore;
  threads(2);
  EXPECT_EQ(threads(), 2);
  EXPECT_THROW(threads(0), ValueError);
  EXPECT_THROW(threads(-1), ValueError);
  EXPECT_EQ(threads(), 2);
}

}  // namespace
}  // namespace graft::table
