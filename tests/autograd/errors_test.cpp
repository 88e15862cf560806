// Bad input: every refusal has the right type and names the op and both facts, and leaves everything as it was:
// gradients, values, memory, the Rng, and the thread's state.
#include "autograd/errors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <typeinfo>
#include <vector>

#include "autograd/ledger.h"
#include "tests/autograd/ops_table.h"

namespace graft::table {
namespace {

/// f throws exactly an E whose message has all of `parts`; afterwards no memory is left behind and the thread's state is as before.
template <class E>
void expect_error(const std::function<void()>& f, const std::vector<std::string>& parts) {
  const std::size_t bytes = ledger().total_now;
  const Tag tag = current_tag();
  bool thrown = false;
  try {
    f();
  } catch (const Error& error) {
    thrown = true;
    const std::string message = error.what();
    EXPECT_EQ(typeid(error).name(), typeid(E).name()) << message;
    for (const std::string& part : parts)
      EXPECT_NE(message.find(part), std::string::npos) << '"' << part << "\" is not in: " << message;
    EXPECT_GE(message.size(), 25u) << message;
  }
  EXPECT_TRUE(thrown) << "nothing was thrown; expected a message with " << (parts.empty() ? "" : parts[0]);
  EXPECT_LE(ledger().total_now, bytes) << "memory was left behind";  // less: a failed backward uses up its graph
  EXPECT_TRUE(recording());
  EXPECT_EQ(current_tag().category, tag.category);
}

/// A leaf of a shape; most checks look at shapes only.
Variable leaf(const Shape& shape, real value = 1) { return parameter(Tensor(shape, value)); }
Ids zeros(const Shape& shape) { return Ids(shape, std::vector<Id>(static_cast<std::size_t>(shape.numel()), 0)); }

/// One wrong call: which error, what its message must say.
struct Wrong {
  std::vector<std::string> parts;
  std::function<void()> call;
};
template <class E>
void expect_all(const std::vector<Wrong>& list) {
  for (const Wrong& w : list) {
    SCOPED_TRACE(testing::PrintToString(w.parts));
    expect_error<E>(w.call, w.parts);
  }
}

TEST(Errors, TextThatCostsIsMadeOnlyWhenItIsNeeded) {
  int made = 0;
  const auto say = [&] { return text("made ", ++made, " time(s), which is once more than needed"); };
  expect<ValueError>(true, say);
  EXPECT_EQ(made, 0);
  expect_error<ValueError>([&] { expect<ValueError>(false, say); }, {"made 1 time(s)"});
  expect_error<ShapeError>([&] { expect(false, say); }, {"made 2 time(s)"});
}

TEST(Errors, AllAreErrorsAndRuntimeErrors) {
  EXPECT_THROW(leaf({2}) + leaf({3}), ShapeError);
  EXPECT_THROW(leaf({2}) + leaf({3}), Error);
  EXPECT_THROW(leaf({2}) + leaf({3}), std::runtime_error);
}

// --- shapes -----------------------------------------------------------------------------------------------------------

TEST(Errors, WrongShapesOfEachOp) {
  const Variable a = leaf({2, 3}), b = leaf({4}), W = leaf({5, 4}), cube = leaf({2, 3, 4}), heads = leaf({2, 4, 3, 6});
  const Tensor theta = rotary_frequencies(6);
  Rng rng(1);
  expect_all<ShapeError>({
      {{"add", "[2, 3]", "[4]"}, [&] { a + b; }},
      {{"sub", "[2, 3]", "[4]"}, [&] { a - b; }},
      {{"mul", "[2, 3]", "[2]"}, [&] { a* leaf({2}); }},  // the front is not the tail
      {{"div", "[2, 3]", "[3, 2]"},
       [&] {
         a / leaf({3, 2});
       }},
      {{"add", "[2, 3]", "[1, 3]"},
       [&] {
         a + leaf({1, 3});
       }},
      {{"linear", "[2, 3]", "[5, 4]", "3", "4"}, [&] { linear(a, W); }},
      {{"linear", "[2, 3, 4]", "[4]"}, [&] { linear(cube, b); }},
      {{"linear", "[2, 3]", "[5, 4]"}, [&] { linear(a, W, b); }},
      {{"linear", "[4]", "[5, 4]"}, [&] { linear(cube, W, b); }},
      {{"linear", "[]"}, [&] { linear(leaf({}), W); }},
      {{"matmul", "[2, 3]", "[4, 5]", "3", "4"},
       [&] {
         matmul(a, leaf({4, 5}));
       }},
      {{"matmul", "[2, 3, 4]", "[3, 4, 5]"},
       [&] {
         matmul(cube, leaf({3, 4, 5}));
       }},
      {{"matmul", "[2, 3, 4]", "[4, 5]"},
       [&] {
         matmul(cube, leaf({4, 5}));
       }},
      {{"matmul", "[4]"}, [&] { matmul(b, b); }},
      {{"matmul_nt", "[2, 3]", "[5, 4]"}, [&] { matmul_nt(a, W); }},
      {{"softmax", "[]"}, [&] { softmax(leaf({})); }},
      {{"softmax", "[3, 0]"},
       [&] {
         softmax(leaf({3, 0}));
       }},
      {{"log_softmax", "[3, 0]"},
       [&] {
         log_softmax(leaf({3, 0}));
       }},
      {{"layer_norm", "[2, 3]", "[4]", "gain"}, [&] { layer_norm(a, b, leaf({3})); }},
      {{"layer_norm", "[2, 3]", "[4]", "bias"}, [&] { layer_norm(a, leaf({3}), b); }},
      {{"layer_norm", "[]"}, [&] { layer_norm(leaf({}), b, b); }},
      {{"rms_norm", "[2, 3]", "[2, 3]"}, [&] { rms_norm(a, a); }},
      {{"reshape", "[2, 3]", "[7]", "6"}, [&] { reshape(a, {7}); }},
      {{"concat", "[2, 3]", "[2, 4]"},
       [&] {
         concat({a, leaf({2, 4})}, 0);
       }},
      {{"concat", "[2, 3]", "[4]"},
       [&] {
         concat({a, b}, 0);
       }},
      {{"split_heads", "[2, 3, 4]", "3"}, [&] { split_heads(cube, 3); }},
      {{"split_heads", "[2, 3, 4]", "0"}, [&] { split_heads(cube, 0); }},
      {{"split_heads", "[2, 3]"}, [&] { split_heads(a, 1); }},
      {{"merge_heads", "[2, 3, 4]"}, [&] { merge_heads(cube); }},
      {{"lookup", "[2, 3, 4]"}, [&] { lookup(cube, {0}); }},
      {{"lookup", "[5, 4]", "[2, 3]"}, [&] { lookup(W, a, {0}); }},
      {{"rotary", "[2, 3, 4]"},
       [&] {
         rotary(cube, {0, 1, 2}, theta);
       }},
      {{"rotary", "[2, 4, 3, 6]", "[4]"},
       [&] {
         rotary(heads, {0, 1, 2, 3}, theta);
       }},
      {{"rotary", "[3, 3]"},
       [&] {
         rotary(heads, zeros({3, 3}), theta);
       }},
      {{"rotary", "4", "6", "3"},
       [&] {
         rotary(heads, {0, 1, 2}, rotary_frequencies(8));
       }},
      {{"causal_attention", "[2, 3, 4]"}, [&] { causal_attention(cube, heads, heads); }},
      {{"causal_attention", "[2, 4, 5, 6]"},
       [&] {
         causal_attention(heads, heads, leaf({2, 4, 5, 6}));
       }},
      {{"causal_attention", "[2, 4, 3, 6]", "[2, 3, 3, 6]"},
       [&] {
         causal_attention(heads, leaf({2, 3, 3, 6}), leaf({2, 3, 3, 6}));
       }},
      {{"causal_attention", "[2, 4, 3, 6]", "[1, 4, 3, 6]"},
       [&] {
         causal_attention(heads, leaf({1, 4, 3, 6}), leaf({1, 4, 3, 6}));
       }},
      {{"causal_attention", "[2, 4, 3, 6]", "[2, 4, 3, 5]"},
       [&] {
         causal_attention(heads, leaf({2, 4, 3, 5}), leaf({2, 4, 3, 5}));
       }},
      {{"causal_attention", "3", "2"},
       [&] {
         causal_attention(heads, leaf({2, 4, 2, 6}), leaf({2, 4, 2, 6}));
       }},
      {{"causal_attention", "past", "3", "2"},
       [&] {
         causal_attention(heads, heads, heads, {0, 0, 0});
       }},
      {{"cross_entropy", "[2, 3]", "[3]", "2", "3"},
       [&] {
         cross_entropy(a, {0, 0, 0});
       }},
      {{"cross_entropy", "1 weights", "2"},
       [&] {
         cross_entropy(a, {0, 0}, {{1}});
       }},
      {{"cross_entropy"}, [&] { cross_entropy(leaf({}), {0}); }},
      {{"linear_cross_entropy", "[2, 3]", "[5, 4]"},
       [&] {
         linear_cross_entropy(a, W, {0, 0});
       }},
      {{"linear_cross_entropy", "[2, 3]", "[1]"},
       [&] {
         linear_cross_entropy(a, leaf({5, 3}), {0});
       }},
      {{"linear_cross_entropy", "[2, 3]"},
       [&] {
         linear_cross_entropy(a, b, {0, 0});
       }},
      {{"cross_entropy_by_rows", "[2, 3]", "[1]"}, [&] { cross_entropy_by_rows(a, {0}, [](const Variable& x) { return x; }); }},
      {{"cross_entropy", "[1, 3]"},  // a head that loses a row
       [&] {
         cross_entropy_by_rows(a, {0, 0}, [](const Variable& x) { return slice(x, 0, 0, 1); });
       }},
      {{"item", "[2, 3]", "6"}, [&] { a.item(); }},
      {{"set_grad", "[2, 3]", "[4]"}, [&] { Variable(a).set_grad(Tensor(Shape{4}, 1)); }},
      {{"Tensor", "2 values", "[2, 3]", "6"},
       [&] {
         Tensor({2, 3}, std::vector<real>{1, 2});
       }},
      {{"copy_from", "[4]", "[2, 3]"},
       [&] {
         Tensor(Shape{2, 3}, 0).copy_from(b.value());
       }},
      {{"Ids", "1", "[2]"}, [&] { Ids({2}, {1}); }},
  });
  EXPECT_FALSE(a.grad().defined());
}

// --- indices, axes, ranges --------------------------------------------------------------------------------------------

TEST(Errors, OutOfRange) {
  const Variable a = leaf({2, 3}), W = leaf({5, 3}), heads = leaf({2, 4, 3, 6});
  expect_all<IndexError>({
      {{"lookup", "5", "position 2", "0 to 4"},
       [&] {
         lookup(W, {0, 4, 5});
       }},
      {{"lookup", "-1", "position 0"},
       [&] {
         lookup(W, {-1, 0});
       }},
      {{"lookup", "7", "0 to 6"},
       [&] {
         lookup(W, a, {6, 7});
       }},
      {{"sum", "axis 2", "[2, 3]"}, [&] { sum(a, 2); }},
      {{"sum", "axis -3", "[2, 3]"}, [&] { sum(a, -3); }},
      {{"sum", "axis 0", "[]"}, [&] { sum(leaf({}), 0); }},
      {{"mean", "axis 2", "[2, 3]"}, [&] { mean(a, 2); }},
      {{"concat", "axis 2", "[2, 3]"},
       [&] {
         concat({a, a}, 2);
       }},
      {{"slice", "axis 2", "[2, 3]"}, [&] { slice(a, 2, 0, 1); }},
      {{"slice", "[1, 4)", "[2, 3]", "3"}, [&] { slice(a, 1, 1, 4); }},
      {{"slice", "[-1, 1)", "[2, 3]"}, [&] { slice(a, 1, -1, 1); }},
      {{"slice", "[2, 1)"}, [&] { slice(a, 1, 2, 1); }},
      {{"axis 2", "[2, 3]"}, [&] { a.dim(2); }},
      {{"Tensor::at", "3", "[2, 3]"},
       [&] {
         a.value().at({0, 3});
       }},
      {{"Tensor::at", "1", "[2, 3]"}, [&] { a.value().at({0}); }},
      {{"causal_attention", "row 1", "1 past", "3 queries", "[2, 4, 3, 6]"},
       [&] {
         causal_attention(heads, heads, heads, {0, 1});
       }},
      {{"causal_attention", "row 0", "-1"},
       [&] {
         causal_attention(heads, heads, heads, {-1, 0});
       }},
      {{"cross_entropy", "label 3", "row 1", "[0, 3)"},
       [&] {
         cross_entropy(a, {0, 3});
       }},
      {{"cross_entropy", "label -1", "row 0", "-100"},
       [&] {
         cross_entropy(a, {-1, 0});
       }},
      {{"linear_cross_entropy", "label 5", "row 1", "[0, 5)"},
       [&] {
         linear_cross_entropy(a, W, {0, 5});
       }},
      {{"cross_entropy_by_rows", "label -7"},
       [&] {
         cross_entropy_by_rows(a, {0, -7}, [&](const Variable& x) { return linear(x, W); });
       }},
      {{"cross_entropy", "label 5", "[0, 5)"},  // only the head knows its width; found in its second chunk
       [&] {
         cross_entropy_by_rows(
             a, {0, 5}, [&](const Variable& x) { return linear(x, W); }, {}, 1);
       }},
  });
  EXPECT_FALSE(a.grad().defined() || W.grad().defined());
}

TEST(Errors, ArgumentsOutsideTheirRange) {
  const Variable a = leaf({2, 3});
  Rng rng(1);
  expect_all<ValueError>({
      {{"dropout", "-0.5", "[0, 1)"}, [&] { dropout(a, real(-0.5), rng); }},
      {{"dropout", "1"}, [&] { dropout(a, 1, rng); }},
      {{"dropout", "nan"}, [&] { dropout(a, std::numeric_limits<real>::quiet_NaN(), rng); }},
      {{"layer_norm", "eps", "-1"}, [&] { layer_norm(a, leaf({3}), leaf({3}), -1); }},
      {{"rms_norm", "eps", "nan"}, [&] { rms_norm(a, leaf({3}), std::numeric_limits<real>::quiet_NaN()); }},
      {{"concat"}, [&] { concat({}, 0); }},
      {{"expand", "0"}, [&] { expand(a, 0); }},
      {{"mean", "[0, 3]"},
       [&] {
         mean(leaf({0, 3}));
       }},
      {{"mean", "[0, 3]"},
       [&] {
         mean(leaf({0, 3}), 0);
       }},
      {{"rotary_frequencies", "5"}, [&] { rotary_frequencies(5); }},
      {{"rotary_frequencies", "0"}, [&] { rotary_frequencies(0); }},
      {{"rotary_frequencies", "-2"}, [&] { rotary_frequencies(4, -2); }},
      {{"cross_entropy", "2 labels", "ignored"},
       [&] {
         cross_entropy(a, {ignored, ignored});
       }},
      {{"linear_cross_entropy", "2 labels", "ignored"},
       [&] {
         linear_cross_entropy(a, leaf({5, 3}), {ignored, ignored});
       }},
      {{"cross_entropy_by_rows", "2 labels", "ignored"},
       [&] {
         cross_entropy_by_rows(a, {ignored, ignored}, [](const Variable& x) { return x; });
       }},
      {{"cross_entropy_by_rows", "chunks of 0"},
       [&] {
         cross_entropy_by_rows(
             a, {0, 0}, [](const Variable& x) { return x; }, {}, 0);
       }},
      {{"Rng::below", "0"}, [&] { rng.below(0); }},
      {{"uniform", "2", "1"}, [&] { uniform({3}, 2, 1, rng); }},
  });
  EXPECT_EQ(rng.state().drawn, 0u) << "a refused call has drawn";
}

// --- empty Variables --------------------------------------------------------------------------------------------------

/// Each op of the table, each input in turn replaced by an empty Variable.
TEST(Errors, AnEmptyVariableIsNamedByEveryOp) {
  for (const Op& op : ops()) {
    const Case& c = op.cases.front();
    const std::size_t n = c.shapes.size();
    for (std::size_t empty = 0; empty < n; ++empty) {
      Inputs x;
      for (const Tensor& t : inputs_for(c, op.range)) x.push_back(parameter(t));
      x[empty] = Variable();
      SCOPED_TRACE(text(op.name, ", input ", empty));
      const bool in_head = op.name == "cross_entropy_by_rows" && empty > 0;  // there the head's op refuses it
      expect_error<ValueError>([&] { op.f(x, c.extra); }, {in_head ? "linear" : op.name.substr(0, op.name.find(' ')), "empty"});
    }
  }
}

TEST(Errors, AnEmptyTensorHasNothingToReadOrWrite) {
  Tensor none;
  expect_all<ValueError>({
      {{"empty", "write"}, [&] { none.write(); }},
      {{"empty", "item"}, [&] { none.item(); }},
      {{"empty", "reshape"}, [&] { none.reshape({1}); }},
      {{"empty", "parameter"}, [&] { parameter(none); }},
      {{"empty", "backward"}, [&] { Variable().backward(); }},
      {{"empty", "recompute"}, [&] { recompute([](const Inputs& x) { return x[0]; }, {Variable()}); }},
  });
}

/// No rows is not "empty": ops on [0, 3] give [0, ..] and gradients of the right shape.
TEST(Errors, NoRowsIsNoError) {
  const Variable x = leaf({0, 3}), W = leaf({5, 3}), gain = leaf({3});
  const Variable y = softmax(linear(gelu(rms_norm(x * gain + gain, gain)), W));
  EXPECT_EQ(y.shape(), Shape({0, 5}));
  sum(y).backward();
  EXPECT_EQ(x.grad().shape(), Shape({0, 3}));
  EXPECT_EQ(W.grad().values(), std::vector<real>(15, 0));
  EXPECT_EQ(gain.grad().values(), std::vector<real>(3, 0));
}

// --- sizes ------------------------------------------------------------------------------------------------------------

TEST(Errors, SizesThatOverflow) {
  const Index huge = Index(1) << 40;
  expect_all<SizeError>({
      {{"axis 1", "-3"},
       [&] {
         Shape({2, -3});
       }},
      {{"Shape", "axis 1"},
       [&] {
         Shape({huge, huge});
       }},
      {{"Shape", "axis 2"},
       [&] {
         Shape({0, huge, huge});
       }},
      {{"Shape", "axis 0"}, [&] { Shape({std::numeric_limits<Index>::max()}); }},
      {{"6 axes", "5"},
       [&] {
         Shape({1, 1, 1, 1, 1, 1});
       }},
      {{"Shape"}, [&] { expand(leaf({1024}), std::numeric_limits<Index>::max() / 1024); }},
      {{"6 axes", "5"},
       [&] {
         expand(leaf({1, 1, 1, 1, 1}), 2);
       }},
      {{"bytes"}, [&] { Tensor(Shape{Index(1) << 58}); }},  // fits a Shape, but no memory
      {{"bytes"}, [&] { expand(leaf({1 << 10}), Index(1) << 48); }},
  });
}

// --- backward ---------------------------------------------------------------------------------------------------------

/// Three leaves that already hold gradients, and a check that none has changed.
struct Leaves {
  Variable a = leaf({2, 3}, 2), b = leaf({2, 3}, 3), c = leaf({2, 3}, 5);
  std::vector<std::vector<real>> before;

  Leaves() {
    sum(a * b * c).backward();
    before = now();
  }
  std::vector<std::vector<real>> now() const {
    std::vector<std::vector<real>> all;
    for (const Variable* v : {&a, &b, &c}) {
      all.push_back(v->grad().values());
      all.push_back(v->value().values());
    }
    return all;
  }
  ~Leaves() { EXPECT_EQ(now(), before) << "a gradient or value was changed"; }
};

TEST(Errors, BackwardWhereThereIsNothingToGoBackOn) {
  const Leaves l;
  expect_error<GraphError>([&] { (l.a * l.b).backward(); }, {"backward", "[2, 3]", "sum"});
  expect_error<ShapeError>([&] { (l.a * l.b).backward(Tensor(Shape{3}, 1)); }, {"backward", "seed", "[3]", "[2, 3]"});
  expect_error<ShapeError>([&] { (l.a * l.b).backward(Tensor()); }, {"backward", "seed"});
  expect_error<GraphError>([&] { sum(Variable(Tensor(Shape{2}, 1))).backward(); }, {"backward", "no history"});
  expect_error<GraphError>([&] { sum(frozen(Tensor(Shape{2}, 1))).backward(); }, {"backward", "no history"});
  expect_error<GraphError>([&] { sum(l.a.detach()).backward(); }, {"backward", "no history"});
  const Variable silent = [&] {
    const NoGrad none;
    return sum(l.a);
  }();
  expect_error<GraphError>([&] { silent.backward(); }, {"backward", "NoGrad"});
}

TEST(Errors, BackwardTwice) {
  const Variable a = leaf({2, 3}, 2);
  const Variable h = tanh(a), first = sum(h * h), second = sum(h + a);
  first.backward();
  const std::vector<real> once = a.grad().values();
  expect_error<GraphError>([&] { first.backward(); }, {"backward", "sum", "earlier backward"});
  expect_error<GraphError>([&] { second.backward(); }, {"backward", "tanh", "[2, 3]"});  // shares h, which is released
  EXPECT_EQ(a.grad().values(), once);
  sum(tanh(a)).backward();  // a fresh forward pass is fine
}

/// y = f(a, b, c) where the op in the middle misbehaves; gradients of b and c would already have been on their way.
void expect_bad_pullback(const Leaves& l, const std::vector<std::string>& parts,
                         const std::function<Tensor(const Tensor&)>& bad, bool joint) {
  const Variable h = l.a * l.b;
  const Variable m = joint ? record_joint("mine", h.value().clone(), {h, l.c},
                                          [bad](const Tensor& dy, const std::vector<bool>&) {
                                            return std::vector<Tensor>{bad(dy), dy};
                                          })
                           : record("mine", h.value().clone(), Edge{l.c, [](const Tensor& dy) { return dy; }}, Edge{h, bad});
  const Variable y = sum(l.b * m * l.c);
  expect_error<GraphError>([&] { y.backward(); }, parts);
  expect_error<GraphError>([&] { y.backward(); }, {"backward"});  // used up all the same: refused, not repeated
}

TEST(Errors, AGradientOfTheWrongShapeFromAUsersPullback) {
  for (const bool joint : {false, true}) {
    const Leaves l;
    expect_bad_pullback(
        l, {"backward", "mine", "[3, 2]", "[2, 3]"},
        [](const Tensor&) {
          return Tensor(Shape{3, 2}, 1);
        },
        joint);
    expect_bad_pullback(
        l, {"backward", "mine", "[6]", "[2, 3]"}, [](const Tensor& dy) { return dy.reshape({6}); }, joint);
    expect_bad_pullback(
        l, {"backward", "mine", "empty", "[2, 3]"}, [](const Tensor&) { return Tensor(); }, joint);
  }
  const Leaves l;
  const Variable y = record_joint("mine", Tensor(Shape{}, 1), {l.a, l.b}, [](const Tensor&, const std::vector<bool>&) {
    return std::vector<Tensor>{Tensor(Shape{2, 3}, 1)};
  });
  expect_error<GraphError>([&] { y.backward(); }, {"mine", "1 gradients", "2 inputs"});
}

TEST(Errors, APullbackThatThrows) {
  struct Mine : std::runtime_error {
    using std::runtime_error::runtime_error;
  };
  const Leaves l;
  const Variable m = record("mine", l.a.value().clone(), Edge{l.a, [](const Tensor&) -> Tensor { throw Mine("mine"); }});
  const Variable y = sum(l.b * m + l.c);  // the products are newer than m: gradients of b and c are known when it throws
  EXPECT_THROW(y.backward(), Mine);
  EXPECT_TRUE(recording());
  EXPECT_THROW(y.backward(), GraphError);
}

TEST(Errors, ASavedTensorThatWasChanged) {
  Variable W = leaf({4, 3}, 2);
  const Variable x = leaf({2, 3}, 1);
  const Variable y = sum(linear(x, W));
  Tensor w = W.value();
  w.write()[0] = 7;
  expect_error<GraphError>([&] { y.backward(); }, {"backward", "[4, 3]", "changed", "clone"});
  EXPECT_FALSE(x.grad().defined() || W.grad().defined());
}

/// What recompute() runs again may fail then; and a head may fail in its second chunk.
TEST(Errors, FailuresInsideRecomputeAndHeads) {
  const Leaves l;
  int runs = 0;
  const Variable part = recompute(
      [&](const Inputs& x) {
        expect<ValueError>(++runs == 1, "part: fails in its second run, on purpose");
        return tanh(x[0]) * l.b;
      },
      {l.a});
  const Variable y = sum(part * l.c);
  expect_error<ValueError>([&] { y.backward(); }, {"second run"});
  int chunks = 0;
  const Variable W = leaf({5, 3}), outside = tanh(W);
  const Head head = [&](const Variable& rows) {
    expect<ValueError>(++chunks < 2, "head: fails in its second chunk, on purpose");
    return linear(rows, outside);
  };
  expect_error<ValueError>([&] { cross_entropy_by_rows(l.a, {0, 1}, head, {}, 1); }, {"second chunk"});
  EXPECT_FALSE(W.grad().defined());
  sum(outside).backward();  // the history outside the head is not used up by the failed call
  EXPECT_TRUE(W.grad().defined());
}

/// Between forward and backward a parameter inside recompute() is told to stop learning: it gets nothing, the others theirs.
TEST(Errors, StoppingToLearnInsideRecompute) {
  const Variable x = leaf({2, 3}, 1);
  Variable W = leaf({4, 3}, 2);
  const Variable both = sum(recompute([W](const Inputs& in) { return linear(in[0], W); }, {x}));
  const Variable only =
      sum(recompute([W, x](const Inputs&) { return linear(x.detach(), W); }, {Variable(Tensor(Shape{1}, 0))}));
  W.learn(false);
  both.backward();
  only.backward();
  EXPECT_EQ(x.grad().values(), std::vector<real>(6, 8));
  EXPECT_FALSE(W.grad().defined());
}

TEST(Errors, LearningIsForLeaves) {
  Variable y = tanh(leaf({2})), constant(Tensor(Shape{2}, 1));
  expect_error<GraphError>([&] { y.learn(false); }, {"learn", "tanh"});
  expect_error<GraphError>([&] { constant.learn(true); }, {"learn", "constant"});
  expect_error<GraphError>([&] { y.set_grad(Tensor(Shape{2}, 1)); }, {"set_grad", "leaf"});
}

}  // namespace
}  // namespace graft::table
