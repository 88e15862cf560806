// Values and gradients of every op against PyTorch's, which fixtures/make_ops.py wrote down in float64; dropout against its
// own mask; Philox against its published answers.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "autograd/sizes.h"
#include "tests/autograd/compare.h"
#include "tests/autograd/ops_table.h"
#include "tests/here.h"

namespace graft::table {
namespace {

using nlohmann::json;

/// The file holds 12 digits, so the double build can agree to 1e-10 and no closer than about 1e-12. In float one operation
/// is exact to 6e-8; the longest chain here (cross-entropy over two linear layers: three sums of up to 17 products, an
/// exp, a log and as much again backwards) multiplies that by less than a hundred in the norm. A wrong constant of gelu or a
/// forgotten eps (the norms have cases with eps = 0.5) is a thousand times that.
constexpr double tolerance = sizeof(real) == 8 ? 1e-10 : 1e-5;

const json& fixtures() {
  static const json file = [] {
    std::ifstream in(here::fixtures() + "/ops.json");
    if (!in) throw std::runtime_error("cannot open " + here::fixtures() + "/ops.json");
    return json::parse(in);
  }();
  return file;
}

Shape shape_of(const json& t) { return Shape(t.at("shape").get<std::vector<Index>>()); }
Tensor tensor_of(const json& t) { return Tensor(shape_of(t), t.at("values").get<std::vector<real>>()); }
std::vector<double> numbers_of(const json& t) { return t.at("values").get<std::vector<double>>(); }

Extra extra_of(const json& c) {
  Extra extra;
  if (c.contains("ids")) extra.ids = Ids(shape_of(c["ids"]), c["ids"]["values"].get<std::vector<Id>>());
  if (c.contains("numbers")) extra.numbers = c["numbers"].get<std::vector<Index>>();
  if (c.contains("reals")) extra.reals = c["reals"].get<std::vector<real>>();
  return extra;
}

std::string describe(const json& c) {
  std::string s = c["op"].get<std::string>();
  for (const json& x : c["inputs"]) s += " " + shape_of(x).str();
  return s;
}

/// How far our value and worst gradient are from the case's.
void expect_case(const Op& op, const json& c, double& worst) {
  SCOPED_TRACE(describe(c));
  Inputs x;
  for (const json& t : c["inputs"]) x.push_back(parameter(tensor_of(t)));
  const Variable y = op.f(x, extra_of(c));
  ASSERT_EQ(y.shape(), shape_of(c["y"]));
  const double value = distance(numbers(y.value()), numbers_of(c["y"]));
  EXPECT_LE(value, tolerance) << "value";
  worst = std::max(worst, value);
  y.backward(tensor_of(c["seed"]));
  ASSERT_EQ(c["gradients"].size(), x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    ASSERT_EQ(x[i].grad().shape(), x[i].shape());
    const double gradient = distance(numbers(x[i].grad()), numbers_of(c["gradients"][i]));
    EXPECT_LE(gradient, tolerance) << "gradient of input " << i;
    worst = std::max(worst, gradient);
  }
}

TEST(PyTorch, ValueAndGradientsOfEveryOp) {
  std::map<std::string, Op> known;
  for (const Op& op : ops()) known[op.name] = op;
  std::map<std::string, int> seen;
  std::map<std::string, double> worst;
  for (const json& c : fixtures().at("cases")) {
    const std::string name = c.at("op");
    ASSERT_TRUE(known.count(name)) << "ops.json has a case of " << name << ", which ops_table.h does not know";
    ++seen[name];
    expect_case(known[name], c, worst[name]);
  }
  seen["dropout"] = 1;  // its random numbers are ours; see below
  for (const auto& [name, op] : known)
    EXPECT_GE(seen[name], 1) << name << " is in ops_table.h but has no case in ops.json; add one to make_ops.py";
  const auto far = std::max_element(worst.begin(), worst.end(), [](auto& a, auto& b) { return a.second < b.second; });
  std::printf("    worst %.1e  %s\n", far->second, far->first.c_str());
}

/// The comparison itself can fail: a value or gradient changed by a thousandth is seen in every case that is not 0.
TEST(PyTorch, AThousandthIsSeen) {
  int zero = 0, cases = 0;
  for (const json& c : fixtures().at("cases")) {
    const std::vector<double> right = numbers_of(c["y"]);
    std::vector<double> wrong = right;
    for (double& v : wrong) v *= 1.001;
    ++cases;
    if (distance(wrong, right) <= tolerance) ++zero;
  }
  EXPECT_LT(zero, cases / 10);  // rows of one number: layer_norm, log_softmax and the losses are 0 there
}

TEST(PyTorch, RotaryFrequencies) {
  for (const json& f : fixtures().at("rotary_frequencies")) {
    const Tensor ours = rotary_frequencies(f["dim"].get<Index>(), f["base"].get<real>());
    EXPECT_LE(distance(numbers(ours), numbers_of(f)), tolerance) << f["dim"];
    for (Index j = 0; j < ours.numel(); ++j)  // each by itself too: the small ones turn the far positions
      EXPECT_NEAR(ours[j] / nth(f["values"], j).get<double>(), 1, tolerance) << j;
  }
}

// --- dropout ----------------------------------------------------------------------------------------------------------

TEST(Dropout, ValueAndGradientUseOneMask) {
  for (const real p : {real(0.1), real(0.5), real(0.9)})
    for (const Shape& shape : {Shape{1}, Shape{7}, Shape{3, 65}, Shape{2, 3, 1000}}) {
      Rng rng(11), values(12);
      const Variable x = parameter(uniform(shape, 1, 2, values));  // no zeros, so that y tells the mask
      const Tensor dy = uniform(shape, 1, 2, values);
      const Variable y = dropout(x, p, rng);
      y.backward(dy);
      const double keep = 1 - static_cast<double>(p);
      for (Index i = 0; i < shape.numel(); ++i) {
        const double mask = y.value()[i] != 0;
        EXPECT_NEAR(y.value()[i], x.value()[i] * mask / keep, 4e-7 * 2 / keep) << p << " " << shape << " " << i;
        EXPECT_NEAR(x.grad()[i], dy[i] * mask / keep, 4e-7 * 2 / keep) << p << " " << shape << " " << i;
      }
    }
}

/// Kept numbers are Bernoulli(1-p): their count is within five deviations (once in 1.7 million runs, were the seed not fixed),
/// in all and in each column, and neighbours are independent.
TEST(Dropout, KeepsTheRightPart) {
  for (const double p : {0.02, 0.1, 0.5, 0.9}) {
    const Index rows = 400, cols = 250;
    Rng rng(21);
    const Tensor y = dropout(Variable(Tensor(Shape{rows, cols}, 1)), static_cast<real>(p), rng).value();
    double kept = 0, pairs = 0;
    std::vector<double> column(static_cast<std::size_t>(cols), 0);
    for (Index i = 0; i < y.numel(); ++i) {
      kept += y[i] != 0;
      nth(column, i % cols) += y[i] != 0;
      if (i) pairs += y[i] != 0 && y[i - 1] != 0;
    }
    const auto within = [](double count, double n, double q) {
      return std::abs(count - n * q) <= 5 * std::sqrt(n * q * (1 - q)) + 1;
    };
    const double n = static_cast<double>(rows * cols);
    EXPECT_TRUE(within(kept, n, 1 - p)) << p << ": " << kept << " of " << n;
    for (const double c : column) EXPECT_TRUE(within(c, static_cast<double>(rows), 1 - p)) << p << ": " << c;
    const double q = (1 - p) * (1 - p);  // pairs overlap: their covariance makes the deviation at most √3 times that
    EXPECT_LE(std::abs(pairs - (n - 1) * q), 5 * std::sqrt(3 * n * q * (1 - q))) << p << ": " << pairs;
  }
}

TEST(Dropout, ACopyOfTheRngReplaysTheMaskAndTheNextCallDoesNot) {
  const Variable x(Tensor(Shape{1000}, 1));
  Rng rng(31), copy = rng;
  const Tensor first = dropout(x, real(0.5), rng).value(), second = dropout(x, real(0.5), rng).value();
  EXPECT_EQ(first.values(), dropout(x, real(0.5), copy).value().values());
  EXPECT_EQ(second.values(), dropout(x, real(0.5), copy).value().values());
  EXPECT_NE(first.values(), second.values());
  Rng saved(rng.state());  // an Rng made from what was saved goes on the same way
  EXPECT_EQ(dropout(x, real(0.5), rng).value().values(), dropout(x, real(0.5), saved).value().values());
}

TEST(Dropout, ZeroGivesTheSameVariableAndDrawsNothing) {
  Rng rng(41);
  const Variable x = parameter(Tensor(Shape{3}, 1));
  EXPECT_EQ(dropout(x, 0, rng).node(), x.node());
  EXPECT_EQ(rng.state().drawn, 0u);
}

// --- Philox -----------------------------------------------------------------------------------------------------------

std::uint32_t hex(const json& word) { return static_cast<std::uint32_t>(std::stoul(word.get<std::string>(), nullptr, 16)); }

TEST(Philox, PublishedAnswers) {
  ASSERT_EQ(fixtures().at("philox").size(), 3u);
  for (const json& known : fixtures().at("philox")) {
    const json &c = known["counter"], &k = known["key"], &bits = known["bits"];
    const std::array<std::uint32_t, 4> expected{hex(bits[0]), hex(bits[1]), hex(bits[2]), hex(bits[3])};
    EXPECT_EQ(philox({hex(c[0]), hex(c[1]), hex(c[2]), hex(c[3])}, {hex(k[0]), hex(k[1])}), expected) << c;
  }
}

}  // namespace
}  // namespace graft::table
