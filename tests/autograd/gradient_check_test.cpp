// Every op, every input, several shapes: backward() against central differences, in the double build (worst relative error
// 1e-7). And the tester itself is tested: wrong pullbacks must be caught.
#include "tests/autograd/gradient_check.h"

#include <gtest/gtest.h>

#include <cctype>
#include <fstream>
#include <regex>
#include <set>

#include "tests/autograd/ops_table.h"
#include "tests/here.h"

namespace graft::table {
namespace {

constexpr double bound = 1e-7;

std::vector<Op> everything() {
  std::vector<Op> all = ops();
  for (Op& op : composites()) all.push_back(std::move(op));
  return all;
}

std::string describe(const Op& op, const Case& c) {
  std::string s = op.name;
  for (const Shape& shape : c.shapes) s += " " + shape.str();
  return s;
}

/// What a check of one case needs: its inputs, the op as a function of them, and a fixed ∂loss/∂y.
struct Prepared {
  std::vector<Tensor> inputs;
  Loss f;
  Tensor R;

  Prepared(const Op& op, const Case& c)
      : inputs(inputs_for(c, op.range)),
        f([&op, &c](const Inputs& x) { return op.f(x, c.extra); }) {
    const NoGrad values_only;
    R = seed_for(f({inputs.begin(), inputs.end()}).shape());
  }
};

struct OpTest : testing::TestWithParam<Op> {};

TEST_P(OpTest, GradientsAreCentralDifferences) {
  const Op& op = GetParam();
  Worst worst;
  std::string worst_case;
  ASSERT_FALSE(op.cases.empty());
  for (const Case& c : op.cases) {
    const auto [inputs, f, R] = Prepared(op, c);
    const Worst here = gradient_check(f, inputs, R);
    EXPECT_LE(here.error, bound) << describe(op, c) << "; " << here.where;
    if (here.error >= worst.error) {
      worst = here;
      worst_case = describe(op, c);
    }
  }
  std::printf("    worst %.1e  %s\n", worst.error, worst_case.c_str());
}

/// Freezing one input changes no other gradient, and the frozen one gets none.
TEST_P(OpTest, EachInputFrozenInTurn) {
  const Op& op = GetParam();
  for (const Case& c : op.cases) {
    const auto [inputs, f, R] = Prepared(op, c);
    const std::vector<std::vector<double>> all = backward_gradients(f, inputs, R);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      Variable frozen_one;
      const std::vector<std::vector<double>> others = backward_gradients(f, inputs, R, static_cast<int>(i), &frozen_one);
      EXPECT_FALSE(frozen_one.grad().defined()) << describe(op, c) << ": input " << i << " is frozen but has a gradient";
      Worst worst;
      for (std::size_t k = 0; k < inputs.size(); ++k)
        if (k != i) compare(others[k], all[k], text("input ", k, " with ", i, " frozen"), worst);
      EXPECT_LE(worst.error, 1e-12) << describe(op, c) << "; " << worst.where;
    }
  }
}

/// Nothing learns: nothing is recorded. Under NoGrad: nothing either, and the value is the same, bit for bit.
TEST_P(OpTest, NothingLearnsNothingRecorded) {
  const Op& op = GetParam();
  for (const Case& c : op.cases) {
    Inputs frozen_inputs, learning;
    for (const Tensor& t : inputs_for(c, op.range)) {
      frozen_inputs.push_back(frozen(t));
      learning.push_back(parameter(t.clone()));
    }
    const Variable recorded = op.f(learning, c.extra), plain = op.f(frozen_inputs, c.extra);
    const NoGrad none;
    const Variable silent = op.f(learning, c.extra);
    EXPECT_TRUE(recorded.learns()) << describe(op, c);
    const bool learns_by_itself = op.name.find("only parameters inside") != std::string::npos;
    EXPECT_FALSE(plain.learns() && !learns_by_itself) << describe(op, c);
    const bool is_x = op.name == "dropout" && c.extra.reals == std::vector<real>{0};  // p = 0 gives x itself
    EXPECT_EQ(silent.learns(), is_x) << describe(op, c);
    EXPECT_EQ(recorded.value().values(), plain.value().values()) << describe(op, c);
    EXPECT_EQ(recorded.value().values(), silent.value().values()) << describe(op, c);
  }
}

std::string test_name(const testing::TestParamInfo<Op>& info) {
  std::string name;
  for (const char c : info.param.name) name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return std::to_string(info.index) + "_" + name;
}
INSTANTIATE_TEST_SUITE_P(All, OpTest, testing::ValuesIn(everything()), test_name);

// --- the table is complete --------------------------------------------------------------------------------------------

/// Every function of ops.h that returns a Variable has a row; a second declaration of a name has a row with a bracket. The
/// operators between a Variable and a number, which are inline, share a row "(number)" each.
TEST(OpsTable, HasEveryOpOfTheHeader) {
  std::ifstream file(here::root() + "/autograd/ops.h");
  ASSERT_TRUE(file);
  const std::map<std::string, std::string> names{
      {"operator+", "add"}, {"operator-", "sub"}, {"operator*", "mul"}, {"operator/", "div"}};
  const std::regex declaration(R"(^(inline )?Variable (operator.|\w+)\()");
  std::map<std::string, int> declared, rows;
  std::set<std::string> with_numbers, number_rows;
  for (std::string line; std::getline(file, line);) {
    std::smatch match;
    if (!std::regex_search(line, match, declaration)) continue;
    const auto known = names.find(match[2]);
    if (match[1].matched && known == names.end()) continue;  // a helper
    if (match[1].matched) with_numbers.insert(known->second == "mul" ? "scale" : known->second);
    else ++declared[known == names.end() ? match[2].str() : known->second];
  }
  for (const Op& op : ops()) {
    const std::string name = op.name.substr(0, op.name.find(' '));
    if (op.name.find("(number)") != std::string::npos) number_rows.insert(name);
    else ++rows[name];
  }
  EXPECT_EQ(with_numbers, number_rows);
  EXPECT_GE(declared.size(), 30u) << "ops.h is not written as this test reads it";
  EXPECT_EQ(declared, rows);
}

TEST(OpsTable, NamesAreUnique) {
  std::set<std::string> names;
  for (const Op& op : everything()) EXPECT_TRUE(names.insert(op.name).second) << op.name;
}

// --- the tester is tested ---------------------------------------------------------------------------------------------

/// y = x·Wᵀ in plain loops, with pullbacks given by the caller.
Tensor product(const Tensor& x, const Tensor& W) {
  Tensor y(Shape{x.dim(0), W.dim(0)}, 0);
  real* out = y.write();
  for (Index i = 0; i < x.dim(0); ++i)
    for (Index j = 0; j < W.dim(0); ++j)
      for (Index k = 0; k < W.dim(1); ++k) out[i * W.dim(0) + j] += x[i * W.dim(1) + k] * W[j * W.dim(1) + k];
  return y;
}
Tensor transposed(const Tensor& a) {
  Tensor t(Shape{a.dim(1), a.dim(0)});
  real* out = t.write();
  for (Index i = 0; i < a.dim(0); ++i)
    for (Index j = 0; j < a.dim(1); ++j) out[j * a.dim(0) + i] = a[i * a.dim(1) + j];
  return t;
}
Tensor times(real s, const Tensor& a) {
  Tensor t = a.clone();
  real* out = t.write();
  for (Index i = 0; i < t.numel(); ++i) out[i] *= s;
  return t;
}
Tensor right_dx(const Tensor& dy, const Tensor& W) { return product(dy, transposed(W)); }
Tensor right_dW(const Tensor& dy, const Tensor& x) { return product(transposed(dy), transposed(x)); }

using PullBoth = std::function<std::vector<Tensor>(const Tensor& x, const Tensor& W, const Tensor& dy)>;

double error_of(const PullBoth& pull, bool joint) {
  const Loss f = [&](const Inputs& in) {
    const Tensor x = in[0].value(), W = in[1].value();
    if (joint) {
      return record_joint("wrong", product(x, W), {in[0], in[1]},
                          [=](const Tensor& dy, const std::vector<bool>&) { return pull(x, W, dy); });
    }
    return record("wrong", product(x, W), Edge{in[0], [=](const Tensor& dy) { return pull(x, W, dy)[0]; }},
                  Edge{in[1], [=](const Tensor& dy) { return pull(x, W, dy)[1]; }});
  };
  const Case square{{{3, 3}, {3, 3}}};  // square, so that a transposed or exchanged gradient has a legal shape
  return gradient_check(f, inputs_for(square, Range::nonzero), seed_for({3, 3})).error;
}

TEST(GradientCheck, PassesTheRightPullbackAndCatchesWrongOnes) {
  struct Wrong {
    const char* what;
    PullBoth pull;
  };
  const std::vector<Wrong> wrong{
      {"factor 1.001",
       [](auto& x, auto& W, auto& dy) {
         return std::vector{times(1.001, right_dx(dy, W)), right_dW(dy, x)};
       }},
      {"factor 1.00001",
       [](auto& x, auto& W, auto& dy) {
         return std::vector{right_dx(dy, W), times(1.00001, right_dW(dy, x))};
       }},
      {"sign",
       [](auto& x, auto& W, auto& dy) {
         return std::vector{times(-1, right_dx(dy, W)), right_dW(dy, x)};
       }},
      {"transposed",
       [](auto& x, auto& W, auto& dy) {
         return std::vector{right_dx(dy, W), transposed(right_dW(dy, x))};
       }},
      {"exchanged",
       [](auto& x, auto& W, auto& dy) {
         return std::vector{right_dW(dy, x), right_dx(dy, W)};
       }},
      {"missing term",
       [](auto& x, auto& W, auto& dy) {
         Tensor row_left_out = dy.clone();
         row_left_out.write()[4] = 0;
         return std::vector{right_dx(dy, W), right_dW(row_left_out, x)};
       }},
      {"one element",
       [](auto& x, auto& W, auto& dy) {
         Tensor dx = right_dx(dy, W);
         dx.write()[5] *= real(1.00001);
         return std::vector{dx, right_dW(dy, x)};
       }},
      {"all zero",
       [](auto& x, auto& W, auto& dy) {
         return std::vector{times(0, right_dx(dy, W)), right_dW(dy, x)};
       }},
      {"not a number",
       [](auto& x, auto& W, auto& dy) {
         return std::vector{times(NAN, right_dx(dy, W)), right_dW(dy, x)};
       }},
  };
  const PullBoth right = [](auto& x, auto& W, auto& dy) { return std::vector{right_dx(dy, W), right_dW(dy, x)}; };
  for (const bool joint : {false, true}) {
    EXPECT_LE(error_of(right, joint), bound);
    for (const Wrong& w : wrong) EXPECT_GT(error_of(w.pull, joint), 10 * bound) << w.what << (joint ? ", joint" : "");
  }
}

/// An op of wrong value but consistent pullbacks, and one whose gradient depends on an input that it should not.
TEST(GradientCheck, SeesAConstantTakenForAVariableAndTheOtherWayRound) {
  const Loss forgets = [](const Inputs& x) { return x[0] * x[1].detach(); };  // ∂x[1] is lost
  const Loss squares = [](const Inputs& x) {                                  // ∂ of x² taken as x
    return record("square", (x[0] * x[0]).value(),
                  Edge{x[0], [v = x[0].value()](const Tensor& dy) { return (Variable(dy) * Variable(v)).value(); }});
  };
  const Case c{{{2, 3}, {2, 3}}};
  EXPECT_GT(gradient_check(forgets, inputs_for(c, Range::nonzero), seed_for({2, 3})).error, 0.5);
  EXPECT_GT(gradient_check(squares, inputs_for(c, Range::nonzero), seed_for({2, 3})).error, 0.1);
}

}  // namespace
}  // namespace graft::table
