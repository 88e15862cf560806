// The fast kernels against the slow clear versions (autograd/clear.h), or against one plain loop written here where the
// clear version would be that loop; at awkward sizes, with extreme numbers, and with memory that must not be read.
#include "autograd/kernels.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <numeric>

#include "autograd/clear.h"
#include "autograd/ops.h"
#include "autograd/sizes.h"
#include "tests/autograd/compare.h"

namespace graft::table {
namespace {

using kernel::Unary;

constexpr double epsilon = std::numeric_limits<real>::epsilon();
/// Sums of up to a thousand products in blocks: a few dozen roundings in the norm. In the double build the clear version,
/// which adds up in double, is no more exact than the fast one, and the bound is wider.
constexpr double slack = sizeof(real) == 8 ? 64 : 1;
constexpr double tolerance = 64 * epsilon * slack;
const real infinity = std::numeric_limits<real>::infinity(), nan = std::numeric_limits<real>::quiet_NaN();

const std::vector<Index> awkward{1, 7, 17, 63, 65, 130, 1000};

Tensor random(const Shape& shape, std::uint64_t seed = 1, real deviation = 1) {
  Rng rng(seed);
  return normal(shape, 0, deviation, rng);
}
Ids random_ids(const Shape& shape, Index below, std::uint64_t seed = 1) {
  Rng rng(seed);
  std::vector<Id> ids(static_cast<std::size_t>(shape.numel()));
  for (Id& id : ids) id = static_cast<Id>(rng.below(below));
  return Ids(shape, std::move(ids));
}
/// A tensor by a formula for element i.
template <class F>
Tensor made(const Shape& shape, F&& f) {
  Tensor t(shape);
  real* out = t.write();
  for (Index i = 0; i < t.numel(); ++i) out[i] = static_cast<real>(f(i));
  return t;
}

#define EXPECT_CLOSE(ours, expected) EXPECT_LE(distance(ours, expected), tolerance)

// --- products ---------------------------------------------------------------------------------------------------------

struct Product {
  Index M, K, N;
};
std::vector<Product> product_sizes() {
  std::vector<Product> sizes{{0, 3, 2}, {1000, 7, 65}, {65, 1000, 7}, {7, 65, 1000}, {256, 96, 130}};
  for (const Index M : {1, 7, 17, 65})
    for (const Index K : {1, 17, 63, 130})
      for (const Index N : {1, 7, 65}) sizes.push_back({M, K, N});
  return sizes;
}

TEST(Kernels, Products) {
  for (const Product& size : product_sizes()) {
    const Index M = size.M, K = size.K, N = size.N;
    SCOPED_TRACE(text(M, " ", K, " ", N));
    const Tensor a = random({M, K}, 1), b = random({K, N}, 2), bt = random({N, K}, 3), at = random({K, M}, 4),
                 bias = random({N}, 5);
    EXPECT_CLOSE(kernel::multiply_nn(a, b), clear::multiply_nn(a, b));
    const Tensor nt = clear::multiply_nt(a, bt);
    EXPECT_CLOSE(kernel::multiply_nt(a, bt), nt);
    EXPECT_CLOSE(kernel::multiply_nt(a, bt, bias), made(nt.shape(), [&](Index i) { return nt[i] + bias[i % N]; }));
    EXPECT_CLOSE(kernel::multiply_tn(at, b), clear::multiply_tn(at, b));
  }
  const Tensor x = random({2, 3, 5, 17}, 1), W = random({13, 17}, 2);  // rows of any rank
  EXPECT_CLOSE(kernel::multiply_nt(x, W), clear::multiply_nt(x, W));
  EXPECT_EQ(kernel::multiply_nt(x, W).shape(), Shape({2, 3, 5, 13}));
  EXPECT_CLOSE(kernel::multiply_nt(random({17}), W), clear::multiply_nt(random({17}), W));
}

/// Matrix number `at` of a batch.
Tensor one_of(const Tensor& x, Index at) {
  const Index rows = x.dim(-2), cols = x.dim(-1);
  return made({rows, cols}, [&](Index i) { return x[at * rows * cols + i]; });
}

TEST(Kernels, BatchedProducts) {
  for (const Index B : {1, 5})
    for (const Product& size : std::vector<Product>{{1, 1, 1}, {7, 17, 65}, {65, 7, 3}, {17, 63, 1}, {130, 65, 63}}) {
      const Index M = size.M, K = size.K, N = size.N;
      SCOPED_TRACE(text(B, " ", M, " ", K, " ", N));
      const Tensor a = random({B, 2, M, K}, 1), b = random({B, 2, K, N}, 2), bt = random({B, 2, N, K}, 3),
                   at = random({B, 2, K, M}, 4);
      const Tensor nn = kernel::batched_nn(a, b), nt = kernel::batched_nt(a, bt), tn = kernel::batched_tn(at, b);
      for (const Tensor& y : {nn, nt, tn}) ASSERT_EQ(y.shape(), Shape({B, 2, M, N}));
      for (Index i = 0; i < 2 * B; ++i) {
        EXPECT_CLOSE(one_of(nn, i), clear::multiply_nn(one_of(a, i), one_of(b, i)));
        EXPECT_CLOSE(one_of(nt, i), clear::multiply_nt(one_of(a, i), one_of(bt, i)));
        EXPECT_CLOSE(one_of(tn, i), clear::multiply_tn(one_of(at, i), one_of(b, i)));
      }
    }
}

// --- functions --------------------------------------------------------------------------------------------------------

using Long = long double;
struct Known {
  const char* name;
  Unary f;
  Long (*value)(Long);
  Long (*derivative)(Long);
  bool saves_y;  ///< unary_backward wants y, else x
  bool like_x;   ///< x times a part of 1: its error is that of the part, so it is relative to |x|
};
Long sigma(Long x) { return 1 / (1 + std::exp(-x)); }
Long Phi(Long x) { return std::erfc(-x / std::sqrt(Long(2))) / 2; }
const Long pi = std::acos(Long(-1)), root = std::sqrt(2 / pi);
Long inner(Long x) { return root * (x + Long(0.044715L) * x * x * x); }

const std::vector<Known>& known() {
  static const std::vector<Known> list{
      {"exp", Unary::exp, [](Long x) { return std::exp(x); }, [](Long x) { return std::exp(x); }, true, false},
      {"log", Unary::log, [](Long x) { return std::log(x); }, [](Long x) { return 1 / x; }, false, false},
      {"tanh", Unary::tanh, [](Long x) { return std::tanh(x); }, [](Long x) { return 1 / (std::cosh(x) * std::cosh(x)); }, true,
       false},
      {"sigmoid", Unary::sigmoid, sigma, [](Long x) { return sigma(x) * sigma(-x); }, true, false},
      {"relu", Unary::relu, [](Long x) { return x > 0 ? x : 0; }, [](Long x) { return Long(x > 0); }, true, false},
      {"silu", Unary::silu, [](Long x) { return x * sigma(x); }, [](Long x) { return sigma(x) * (1 + x * sigma(-x)); }, false,
       true},
      {"gelu", Unary::gelu, [](Long x) { return x * sigma(2 * inner(x)); },
       [](Long x) {
         const Long s = sigma(2 * inner(x)), t = sigma(-2 * inner(x));
         return s + x * s * t * 2 * root * (1 + 3 * Long(0.044715L) * x * x);
       },
       false, true},
      {"gelu_erf", Unary::gelu_erf, [](Long x) { return x * Phi(x); },
       [](Long x) { return Phi(x) + x * std::exp(-x * x / 2) / std::sqrt(2 * pi); }, false, true},
  };
  return list;
}

/// Numbers of both signs from tiny to 100, dense around 0.
Tensor ladder(bool positive) {
  std::vector<real> v;
  for (real x = real(1e-30); x < 100; x *= real(1.01)) v.push_back(x);
  for (int i = 1; i <= 8700; ++i) v.push_back(static_cast<real>(i) / 100);
  const std::size_t n = v.size();
  if (!positive)
    for (std::size_t i = 0; i < n; ++i) v.push_back(-v[i]);
  if (!positive) v.push_back(0);
  return Tensor({size_of(v)}, v);
}

TEST(Kernels, FunctionsAgreeWithTheStandardLibrary) {
  for (const Known& k : known()) {
    const Tensor x = ladder(k.f == Unary::log), y = kernel::unary(k.f, x);
    const Tensor slow = clear::unary(k.f, x);
    Long worst = 0, at = 0;
    for (Index i = 0; i < x.numel(); ++i) {
      const Long exact = k.value(x[i]);
      if (std::abs(exact) > Long(std::numeric_limits<real>::max())) {
        EXPECT_EQ(y[i], infinity) << k.name << "(" << x[i] << ")";
        continue;
      }
      // Eigen's exp overflows a little early: from 88.69 on in float, where 88.72 is the end.
      if (k.f == Unary::exp && y[i] == infinity && exact > Long(std::numeric_limits<real>::max()) / 2) continue;
      // Below the smallest normal number float may be flushed; the functions of size x are that number times x off.
      const Long smallest = 128 * Long(std::numeric_limits<real>::min()) / Long(epsilon);
      const Long size = std::max(
          {std::abs(exact), k.like_x ? std::abs(Long(x[i])) : Long(0), k.f == Unary::log ? Long(0.01) : Long(0), smallest});
      const Long error = std::abs(y[i] - exact) / size;
      if (!(error <= worst)) worst = error, at = x[i];
      EXPECT_LE(std::abs(slow[i] - exact), 4 * Long(epsilon) * size) << k.name << "(" << x[i] << "), clear version";
    }
    EXPECT_LE(worst, 8 * Long(epsilon)) << k.name << " is worst at " << at;
    std::printf("    %-9s worst %.1f eps at %.4g\n", k.name, double(worst / Long(epsilon)), double(at));
  }
}

TEST(Kernels, DerivativesOfFunctions) {
  for (const Known& k : known()) {
    const Tensor x = ladder(k.f == Unary::log), y = kernel::unary(k.f, x);
    const Tensor dy = made(x.shape(), [](Index i) { return i % 2 ? -1.5 : 0.75; });
    const Tensor dx = kernel::unary_backward(k.f, k.saves_y ? y : x, dy);
    for (Index i = 0; i < x.numel(); ++i) {
      const Long exact = dy[i] * k.derivative(x[i]);
      if (std::abs(k.derivative(x[i])) > Long(std::numeric_limits<real>::max()) / 2) continue;  // as above
      // A derivative made of sums near 1 (1 - y², Φ + x·φ, 1 + x(1 - σ)) is exact to a few roundings of 1, and of x.
      ASSERT_LE(std::abs(dx[i] - exact), 16 * Long(epsilon) * std::max({std::abs(exact), std::abs(Long(x[i])), Long(1)}))
          << k.name << "'(" << x[i] << ")";
    }
  }
}

TEST(Kernels, FunctionsOfInfinityAndNaN) {
  // 19 copies of each: in a vector register and in the rest of the loop.
  const auto each = [](Unary f, real x, const std::function<bool(real)>& right) {
    const Tensor y = kernel::unary(f, Tensor(Shape{19}, x));
    for (Index i = 0; i < y.numel(); ++i) EXPECT_TRUE(right(y[i])) << "function " << int(f) << " of " << x << " gives " << y[i];
  };
  const auto is = [](real expected) { return [=](real y) { return y == expected; }; };
  const auto near = [](double expected, double off) { return [=](real y) { return std::abs(y - expected) <= off; }; };
  const auto not_a_number = [](real y) { return std::isnan(y); };
  const double flushed = std::numeric_limits<real>::min();  // 0, or not quite
  for (const Known& k : known()) each(k.f, nan, not_a_number);
  each(Unary::exp, infinity, is(infinity));
  each(Unary::exp, -infinity, near(0, flushed));
  each(Unary::exp, 0, is(1));
  each(Unary::log, infinity, is(infinity));
  each(Unary::log, 0, is(-infinity));
  each(Unary::log, -1, not_a_number);
  each(Unary::log, 1, is(0));
  each(Unary::tanh, infinity, near(1, epsilon));
  each(Unary::tanh, -infinity, near(-1, epsilon));
  each(Unary::sigmoid, infinity, is(1));
  each(Unary::sigmoid, -infinity, near(0, flushed));
  each(Unary::relu, infinity, is(infinity));
  each(Unary::relu, -infinity, is(0));
  for (const Unary u : {Unary::silu, Unary::gelu, Unary::gelu_erf}) {
    each(u, infinity, is(infinity));
    each(u, 1000, is(1000));
    each(u, -1000, near(0, 1e-30));
    each(u, 0, is(0));
    each(u, real(-1e20), near(0, 1e-15));
  }
}

// --- rows -------------------------------------------------------------------------------------------------------------

/// Rows that are hard to exponentiate, for every width: ordinary, large, alike, with one far above, far below.
std::vector<Tensor> hard_rows(Index width) {
  const real low = std::numeric_limits<real>::lowest() / 4;
  const Tensor z = random({3, width}, 3);
  std::vector<Tensor> rows{z,
                           made(z.shape(), [&](Index i) { return 1e4 * z[i]; }),
                           made(z.shape(), [&](Index i) { return z[i] + 1e4; }),
                           made(z.shape(), [&](Index) { return -1e30; }),
                           made(z.shape(), [&](Index i) { return i % width == width / 2 ? 1e4 : z[i]; }),
                           made(z.shape(), [&](Index i) { return i % width == width - 1 ? z[i] : low; })};
  return rows;
}

TEST(Kernels, Softmax) {
  for (const Index width : awkward)
    for (const Tensor& x : hard_rows(width)) {
      const Tensor y = kernel::softmax(x), l = kernel::log_softmax(x), dy = random(x.shape(), 9);
      SCOPED_TRACE(text("width ", width, ", x[0] = ", x[0]));
      EXPECT_CLOSE(y, clear::softmax(x));
      EXPECT_CLOSE(l, clear::log_softmax(x));
      std::vector<double> dx, dl;  // ∂x = y(∂y - Σ∂y·y) and ∂y - e^l·Σ∂y
      for (Index r = 0; r < x.rows(); ++r) {
        double dot = 0, sum = 0, total = 0;
        for (Index j = r * width; j < (r + 1) * width; ++j) dot += double(dy[j]) * y[j], sum += dy[j], total += y[j];
        EXPECT_NEAR(total, 1, 1000 * epsilon);
        for (Index j = r * width; j < (r + 1) * width; ++j) {
          dx.push_back(y[j] * (dy[j] - dot));
          dl.push_back(dy[j] - std::exp(double(l[j])) * sum);
        }
      }
      EXPECT_LE(distance(numbers(kernel::softmax_backward(y, dy)), dx), tolerance);
      EXPECT_LE(distance(numbers(kernel::log_softmax_backward(l, dy)), dl), tolerance);
    }
}

/// ∂x = inverse·(g - mean(g) - x̂·mean(g·x̂)) with g = ∂y·gain; without the mean(g) for rms_norm.
std::vector<double> norm_dx(const Tensor& x, const kernel::Normalized& n, const Tensor& gain, const Tensor& dy, bool centred) {
  const Index D = x.cols();
  std::vector<double> dx;
  for (Index r = 0; r < x.rows(); ++r) {
    const double mean = centred ? n.mean[r] : 0, inverse = n.inverse[r];
    double g = 0, gx = 0;
    for (Index j = 0; j < D; ++j) {
      const double gj = double(dy[r * D + j]) * gain[j];
      g += gj / double(D);
      gx += gj * (x[r * D + j] - mean) * inverse / double(D);
    }
    for (Index j = 0; j < D; ++j) {
      const double gj = double(dy[r * D + j]) * gain[j], xj = (x[r * D + j] - mean) * inverse;
      dx.push_back(inverse * (gj - (centred ? g : 0) - xj * gx));
    }
  }
  return dx;
}

TEST(Kernels, Norms) {
  for (const Index rows : {1, 3, 130})
    for (const Index width : awkward) {
      SCOPED_TRACE(text(rows, " x ", width));
      Rng rng(4);
      const Tensor x = normal({rows, width}, real(0.5), 2, rng), dy = random({rows, width}, 5);
      const Tensor gain = random({width}, 6), bias = random({width}, 7);
      const real eps = real(1e-2);
      const kernel::Normalized fast = kernel::layer_norm(x, gain, bias, eps), slow = clear::layer_norm(x, gain, bias, eps);
      EXPECT_CLOSE(fast.y, slow.y);
      EXPECT_CLOSE(fast.mean, slow.mean);
      EXPECT_CLOSE(fast.inverse, slow.inverse);
      const kernel::Normalized rms = kernel::rms_norm(x, gain, eps), slow_rms = clear::rms_norm(x, gain, eps);
      EXPECT_CLOSE(rms.y, slow_rms.y);
      EXPECT_CLOSE(rms.inverse, slow_rms.inverse);
      // With one number per row the answers are 0, or eps·(rest), but for rounding of numbers of size inverse.
      const double floor = width == 1 ? 100 : 1e-2;
      for (const bool centred : {true, false}) {
        const kernel::Normalized& n = centred ? slow : slow_rms;
        const kernel::NormGradients g = kernel::norm_backward(x, n.mean, n.inverse, gain, dy, {true, true, centred});
        EXPECT_LE(distance(numbers(g.dx), norm_dx(x, n, gain, dy, centred), floor), tolerance);
        std::vector<double> dgain(static_cast<std::size_t>(width), 0), dbias = dgain;
        for (Index i = 0; i < x.numel(); ++i) {
          const std::size_t j = static_cast<std::size_t>(i % width);
          dgain[j] += double(dy[i]) * (x[i] - (centred ? n.mean[i / width] : 0)) * n.inverse[i / width];
          dbias[j] += dy[i];
        }
        EXPECT_LE(distance(numbers(g.dgain), dgain, floor), tolerance);
        EXPECT_LE(centred ? distance(numbers(g.dbias), dbias, floor) : 0, tolerance);
        for (int only = 0; only < 3; ++only) {  // what is not wanted stays empty and changes nothing else
          const kernel::NormGradients one =
              kernel::norm_backward(x, n.mean, n.inverse, gain, dy, {only == 0, only == 1, only == 2});
          EXPECT_TRUE(one.dx.defined() == (only == 0) && one.dgain.defined() == (only == 1) &&
                      one.dbias.defined() == (only == 2));
          EXPECT_EQ(one.dx.values(), only == 0 ? g.dx.values() : std::vector<real>());
          EXPECT_EQ(one.dgain.values(), only == 1 ? g.dgain.values() : std::vector<real>());
        }
      }
    }
}

/// A mean far from 0 against the deviation: Σx² - n·mean² would lose everything here.
TEST(Kernels, NormOfNumbersFarFromZero) {
  const Tensor z = random({5, 65}, 1), gain(Shape{65}, 1), bias(Shape{65}, 0);
  const Tensor x = made(z.shape(), [&](Index i) { return 1000 + z[i]; });
  EXPECT_LE(distance(kernel::layer_norm(x, gain, bias, real(1e-5)).y, clear::layer_norm(x, gain, bias, real(1e-5)).y),
            1000 * epsilon * slack);
}

// --- attention --------------------------------------------------------------------------------------------------------

struct Heads {
  Index B, H, G, T, S, D;
  std::vector<Index> past;
  real size = 1;
};
std::vector<Heads> head_sizes() {
  return {{1, 1, 1, 1, 1, 1, {0}},           {1, 1, 1, 7, 7, 17, {0}},         {2, 3, 3, 17, 17, 7, {0, 0}},
          {1, 2, 1, 63, 63, 5, {0}},         {1, 2, 2, 65, 65, 16, {0}},       {1, 1, 1, 130, 130, 8, {0}},
          {2, 6, 2, 1, 40, 7, {39, 0}},      {3, 4, 2, 5, 40, 3, {0, 17, 35}}, {1, 4, 1, 65, 200, 5, {130}},
          {2, 2, 1, 1, 300, 64, {299, 128}}, {1, 1, 1, 300, 300, 3, {0}},      {2, 2, 2, 70, 400, 4, {3, 200}},
          {1, 2, 1, 65, 200, 5, {127}},      {1, 1, 1, 33, 50, 6, {11}, 100},  {1, 1, 1, 200, 200, 4, {0}, 30}};
}

/// Spare keys and values, beyond past + T, are NaN: reading one would show.
Tensor with_spare(Tensor x, const std::vector<Index>& past, Index T, real value) {
  real* out = x.write();
  const Index G = x.dim(1), S = x.dim(2), D = x.dim(3);
  for (Index b = 0; b < x.dim(0); ++b)
    for (Index g = 0; g < G; ++g)
      for (Index s = nth(past, b) + T; s < S; ++s) std::fill_n(out + ((b * G + g) * S + s) * D, D, value);
  return x;
}

TEST(Kernels, AttentionAgainstTheWholeScoreMatrix) {
  for (const Heads& z : head_sizes()) {
    SCOPED_TRACE(text(z.B, " ", z.H, "/", z.G, " T ", z.T, " S ", z.S, " D ", z.D, " size ", z.size));
    const Tensor Q = random({z.B, z.H, z.T, z.D}, 1, z.size), dO = random(Q.shape(), 4);
    const Tensor K = with_spare(random({z.B, z.G, z.S, z.D}, 2), z.past, z.T, nan);
    const Tensor V = with_spare(random({z.B, z.G, z.S, z.D}, 3), z.past, z.T, nan);
    const real scale = real(0.7);
    const kernel::Attended fast = kernel::attention(Q, K, V, z.past, scale), slow = clear::attention(Q, K, V, z.past, scale);
    // Scores of size s have errors of s·eps, which the exponential hands on as relative errors.
    const double bound = tolerance * static_cast<double>(z.size);
    EXPECT_LE(distance(fast.O, slow.O), bound);
    EXPECT_LE(distance(fast.lse, slow.lse), bound);
    const kernel::AttentionGradients g = kernel::attention_backward(Q, K, V, z.past, scale, fast, dO);
    const kernel::AttentionGradients s = clear::attention_backward(Q, K, V, z.past, scale, dO);
    EXPECT_LE(distance(g.dQ, s.dQ), bound);
    EXPECT_LE(distance(g.dK, s.dK), bound);  // 0, not NaN, at the spare places
    EXPECT_LE(distance(g.dV, s.dV), bound);
    for (const Tensor& d : {g.dK, g.dV}) EXPECT_EQ(with_spare(d.clone(), z.past, z.T, 0).values(), d.values());
  }
}

/// Scores of 1e4, and keys far below the others.
TEST(Kernels, AttentionWithLargeScores) {
  const Index T = 70, D = 4;
  const Tensor Q = made({1, 1, T, D}, [](Index i) { return i % 4 == 0 ? 100 : 0; });
  const Tensor K = made({1, 1, T, D}, [](Index i) { return i % 4 == 0 ? (i / 4 % 3 == 0 ? 100 : -100) : 0.5; });
  const Tensor V = random({1, 1, T, D}, 3), dO = random({1, 1, T, D}, 4);
  const kernel::Attended fast = kernel::attention(Q, K, V, {0}, 1), slow = clear::attention(Q, K, V, {0}, 1);
  // The rounding of a score of 1e4 is a relative error of its exponential.
  EXPECT_LE(distance(fast.O, slow.O), 1e4 * epsilon);
  EXPECT_CLOSE(fast.lse, slow.lse);
  const kernel::AttentionGradients g = kernel::attention_backward(Q, K, V, {0}, 1, fast, dO),
                                   s = clear::attention_backward(Q, K, V, {0}, 1, dO);
  EXPECT_LE(distance(g.dV, s.dV), 1e4 * epsilon);
  EXPECT_LE(distance(g.dQ, s.dQ, 100), 1e4 * epsilon * slack);
  EXPECT_LE(distance(g.dK, s.dK, 100), 1e4 * epsilon * slack);
}

/// A negative scale turns the order of the scores round; the largest must still be taken off before exponentiating.
TEST(Kernels, AttentionWithANegativeScale) {
  const Tensor Q = random({1, 2, 65, 5}, 1, 20), K = random({1, 2, 65, 5}, 2, 20), V = random({1, 2, 65, 5}, 3);
  const kernel::Attended fast = kernel::attention(Q, K, V, {0}, -1), slow = clear::attention(Q, K, V, {0}, -1);
  EXPECT_LE(distance(fast.O, slow.O), 1e4 * epsilon);
  EXPECT_LE(distance(fast.lse, slow.lse), 1e4 * epsilon);
}

// --- losses -----------------------------------------------------------------------------------------------------------

std::vector<real> weights_for(const Ids& labels) {
  std::vector<real> weights;
  for (Index i = 0; i < labels.numel(); ++i) weights.push_back(labels[i] == ignored ? 0 : real(0.25) + real(i % 5) / 4);
  return weights;
}
Ids with_ignored(const Ids& labels, Index every) {
  std::vector<Id> ids(labels.begin(), labels.end());
  for (std::size_t i = 0; i < ids.size(); i += static_cast<std::size_t>(every)) ids[i] = ignored;
  return Ids(labels.shape(), std::move(ids));
}

TEST(Kernels, CrossEntropy) {
  for (const Index V : awkward)
    for (const Index every : {1000, 2, 1}) {
      for (const Tensor& logits : hard_rows(V)) {
        SCOPED_TRACE(text("V ", V, ", every ", every, "th ignored, logits[0] = ", logits[0]));
        const Ids labels = with_ignored(random_ids({3}, V, 8), every);
        const std::vector<real> weights = weights_for(labels);
        const kernel::Scored fast = kernel::cross_entropy(logits, labels, weights);
        const double slow = clear::cross_entropy(logits, labels, weights);
        EXPECT_LE(std::abs(fast.loss - slow), tolerance * std::max(1.0, std::abs(slow)));
        Tensor expected = clear::cross_entropy_backward(logits, labels, weights);
        expected = made(expected.shape(), [&](Index i) { return -1.5 * expected[i]; });
        // The rounding of a log-sum-exp of up to 128 is a relative error of the probabilities made from it.
        EXPECT_LE(distance(kernel::cross_entropy_backward(logits, labels, weights, fast.lse, real(-1.5)), expected),
                  128 * epsilon * slack);
      }
    }
  // NaN in an ignored row stays there.
  const Tensor logits = made({2, 5}, [](Index i) { return i < 5 ? nan : real(i); });
  const Ids labels{ignored, 3};
  const kernel::Scored scored = kernel::cross_entropy(logits, labels, {0, 1});
  EXPECT_TRUE(std::isfinite(scored.loss));
  const Tensor d = kernel::cross_entropy_backward(logits, labels, {0, 1}, scored.lse, 1);
  for (Index i = 0; i < 10; ++i) EXPECT_TRUE(i < 5 ? d[i] == 0 : std::isfinite(d[i])) << i;
}

void expect_linear_cross_entropy(Index N, Index D, Index V, Index every) {
  SCOPED_TRACE(text("N ", N, " D ", D, " V ", V, ", every ", every, "th ignored"));
  const Ids labels = with_ignored(random_ids({N}, V, 8), every);
  const std::vector<real> weights = weights_for(labels);
  Tensor x = random({N, D}, 1);
  const Tensor W = random({V, D}, 2);
  real* row = x.write();
  for (Index r = 0; r < N; ++r)
    if (labels[r] == ignored) std::fill_n(row + r * D, D, nan);  // must not be read
  const kernel::LinearScored fast = kernel::linear_cross_entropy(x, W, labels, weights, true, true);
  for (Index r = 0; r < N; ++r)
    if (labels[r] == ignored) std::fill_n(row + r * D, D, real(0));
  const Tensor logits = clear::multiply_nt(x, W), d = clear::cross_entropy_backward(logits, labels, weights);
  EXPECT_NEAR(fast.loss, clear::cross_entropy(logits, labels, weights), tolerance * (1 + std::abs(fast.loss)));
  EXPECT_CLOSE(fast.dx, clear::multiply_nn(d, W));
  EXPECT_CLOSE(fast.dW, clear::multiply_tn(d, x));
  const kernel::LinearScored loss_only = kernel::linear_cross_entropy(x, W, labels, weights, false, false);
  EXPECT_EQ(loss_only.loss, fast.loss);
  EXPECT_FALSE(loss_only.dx.defined() || loss_only.dW.defined());
  EXPECT_EQ(kernel::linear_cross_entropy(x, W, labels, weights, true, false).dx.values(), fast.dx.values());
  EXPECT_EQ(kernel::linear_cross_entropy(x, W, labels, weights, false, true).dW.values(), fast.dW.values());
}

TEST(Kernels, LinearCrossEntropy) {
  for (const Index N : {1, 7, 65})
    for (const Index V : awkward)
      for (const Index every : {1000, 3}) expect_linear_cross_entropy(N, 17, V, every);
  expect_linear_cross_entropy(5, 1, 1, 2);
  expect_linear_cross_entropy(9, 7, 33, 1);          // nothing is scored
  expect_linear_cross_entropy(450, 2, 30011, 1000);  // several chunks, the last one shorter
}

/// cross_entropy_by_rows crosses its chunks: one row per chunk, a last chunk of one row, a single chunk.
TEST(Kernels, CrossEntropyByRowsHasNoSeams) {
  const Ids labels = with_ignored(random_ids({13}, 11, 8), 5);
  const Tensor x = random({13, 7}, 1), W = random({11, 7}, 2);
  const Tensor logits = clear::multiply_nt(x, W);
  std::vector<real> weights = weights_for(labels);
  const Tensor d = clear::cross_entropy_backward(logits, labels, weights);
  for (const Index chunk : {1, 2, 3, 9, 10, 11, 256}) {
    const Variable X = parameter(x.clone()), H = parameter(W.clone());
    const Variable loss = cross_entropy_by_rows(
        X, labels, [&](const Variable& rows) { return linear(rows, H); }, {weights}, chunk);
    loss.backward();
    EXPECT_NEAR(loss.item(), clear::cross_entropy(logits, labels, weights), 10 * tolerance) << chunk;
    EXPECT_CLOSE(X.grad(), clear::multiply_nn(d, W)) << chunk;
    EXPECT_CLOSE(H.grad(), clear::multiply_tn(d, x)) << chunk;
  }
}

// --- elementwise, tables, moving numbers: one loop each ---------------------------------------------------------------

struct Pair {
  Shape a, tail;
};
std::vector<Pair> tails() {
  std::vector<Pair> list;
  for (const Index n : awkward) {
    list.push_back({{n}, {n}});
    list.push_back({{n}, {}});
    list.push_back({{7, n}, {n}});
    list.push_back({{n, 3}, {3}});
    list.push_back({{130, n}, {n}});
  }
  list.push_back({{2, 3, 4, 5}, {4, 5}});
  list.push_back({{70000}, {}});
  list.push_back({{9, 8192}, {8192}});
  list.push_back({{0, 3}, {3}});
  return list;
}

TEST(Kernels, BinaryAndFold) {
  using kernel::Binary;
  for (const auto& [shape, tail] : tails()) {
    SCOPED_TRACE(text(shape, " ", tail));
    const Tensor a = random(shape, 1), c = random(shape, 3), z = random(tail, 2);
    const Tensor b = made(tail, [&](Index i) { return z[i] + (z[i] < 0 ? -1 : 1); }),
                 a1 = made(shape, [&](Index i) { return a[i] + (a[i] < 0 ? -1 : 1); });
    const Index n = tail.numel();
    EXPECT_CLOSE(kernel::binary(Binary::add, a, b), made(shape, [&](Index i) { return a[i] + b[i % n]; }));
    EXPECT_CLOSE(kernel::binary(Binary::sub, a, b), made(shape, [&](Index i) { return a[i] - b[i % n]; }));
    EXPECT_CLOSE(kernel::binary(Binary::mul, a, b), made(shape, [&](Index i) { return a[i] * b[i % n]; }));
    EXPECT_CLOSE(kernel::binary(Binary::div, a, b), made(shape, [&](Index i) { return a[i] / b[i % n]; }));
    EXPECT_CLOSE(kernel::binary(Binary::sub_from, a, b), made(shape, [&](Index i) { return b[i % n] - a[i]; }));
    EXPECT_CLOSE(kernel::binary(Binary::div_into, a1, b), made(shape, [&](Index i) { return b[i % n] / a1[i]; }));
    EXPECT_CLOSE(kernel::scale(a, real(-2.5)), made(shape, [&](Index i) { return real(-2.5) * a[i]; }));
    Tensor into = a.clone();
    kernel::add_to(into, c);
    EXPECT_CLOSE(into, made(shape, [&](Index i) { return a[i] + c[i]; }));
    std::vector<double> sum(static_cast<std::size_t>(n), 0), products = sum, with_tail = sum;
    for (Index i = 0; i < shape.numel(); ++i) {
      nth(sum, i % n) += a[i];
      nth(products, i % n) += double(a[i]) * c[i];
      nth(with_tail, i % n) += double(a[i]) * b[i % n];
    }
    const double floor = std::sqrt(double(shape.numel()) / double(n) + 1);  // sums that happen to cancel
    EXPECT_LE(distance(numbers(kernel::sum_to(a, tail)), sum, floor), tolerance);
    EXPECT_LE(distance(numbers(kernel::multiply_sum_to(a, c, tail)), products, floor), tolerance);
    if (shape.numel()) {  // as mul's backward calls it: either argument may be the short one
      EXPECT_LE(distance(numbers(kernel::multiply_sum_to(a, b, tail)), with_tail, floor), tolerance);
      EXPECT_CLOSE(kernel::multiply_sum_to(a, b, shape), made(shape, [&](Index i) { return a[i] * b[i % n]; }));
    }
  }
}

TEST(Kernels, SumsOverAllAndOverAnAxis) {
  for (const Index n : {Index(1), Index(65), Index(1000), Index(70001), Index(1 << 20)}) {
    const Tensor x = random({n}, 1);
    const std::vector<double> v = numbers(x);
    EXPECT_NEAR(kernel::total(x), std::accumulate(v.begin(), v.end(), 0.0), tolerance * std::sqrt(double(n))) << n;
  }
  // In blocks: a running sum of equal numbers in float goes wrong by a tenth and more at this length.
  EXPECT_NEAR(kernel::total(Tensor(Shape{10'000'000}, real(1.9))) / 1.9e7, 1, tolerance);
  for (const Shape& shape :
       {Shape{1}, Shape{7, 17}, Shape{65, 1, 63}, Shape{3, 130, 17}, Shape{2, 3, 4, 5, 6}, Shape{1000, 130}})
    for (int axis = 0; axis < shape.rank(); ++axis) {
      const Tensor x = random(shape, 1);
      const Index n = shape[axis], inside = shape.inner(axis);
      std::vector<double> sum(static_cast<std::size_t>(shape.without(axis).numel()), 0);
      const auto place = [&](Index i) { return i / (n * inside) * inside + i % inside; };
      for (Index i = 0; i < shape.numel(); ++i) nth(sum, place(i)) += x[i];
      const Tensor y = kernel::sum_axis(x, axis);
      EXPECT_EQ(y.shape(), shape.without(axis));
      EXPECT_LE(distance(numbers(y), sum, std::sqrt(double(n))), tolerance) << shape << " axis " << axis;
      EXPECT_CLOSE(kernel::repeat_axis(y, shape, axis, real(0.5)),
                   made(shape, [&](Index i) { return real(0.5) * y[place(i)]; }));
    }
}

TEST(Kernels, MovingNumbers) {
  for (const Shape& s : {Shape{1, 1, 1, 1}, Shape{2, 7, 3, 17}, Shape{1, 65, 12, 64}, Shape{3, 1, 130, 5}}) {
    const Tensor x = random(s, 1), y = kernel::swap_heads(x);
    const Index M = s[1], N = s[2], D = s[3];
    ASSERT_EQ(y.shape(), Shape({s[0], N, M, D}));
    const Tensor expected = made(y.shape(), [&](Index i) {
      const Index d = i % D, m = i / D % M, n = i / D / M % N, b = i / D / M / N;
      return x[((b * M + m) * N + n) * D + d];
    });
    EXPECT_EQ(y.values(), expected.values());
  }
  for (const Index batch : {1, 2, 65}) {
    const Tensor x = random({3, 17}, 1), y = kernel::repeat(x, batch);
    ASSERT_EQ(y.shape(), Shape({batch, 3, 17}));
    EXPECT_EQ(y.values(), made(y.shape(), [&](Index i) { return x[i % 51]; }).values());
  }
  for (int axis = 0; axis < 3; ++axis) {
    const Tensor from = random({7, 9, 11}, 1);
    Tensor to = random({7, 9, 11}, 2);
    const Tensor before = to.clone();
    kernel::copy_axis(from, 2, to, 3, 4, axis);
    const Index inside = from.shape().inner(axis), n = from.dim(axis);
    EXPECT_EQ(to.values(), made(to.shape(), [&](Index i) {
                             const Index at = i / inside % n;
                             return at >= 3 && at < 7 ? from[i - inside] : before[i];
                           }).values());
  }
}

TEST(Kernels, Tables) {
  for (const Index D : {1, 7, 65})
    for (const Index n : {1, 17, 1000}) {
      const Tensor table = random({13, D}, 1), more = random({4, D}, 2), dy = random({n, D}, 3);
      const Ids ids = random_ids({n}, 13, 5), both = random_ids({n}, 17, 6);
      const auto row = [&](Id id, Index d) { return id < 13 ? table[id * D + d] : more[(id - 13) * D + d]; };
      EXPECT_EQ(kernel::lookup(table, Tensor(), ids).values(),
                made({n, D}, [&](Index i) { return row(ids[i / D], i % D); }).values());
      EXPECT_EQ(kernel::lookup(table, more, both).values(),
                made({n, D}, [&](Index i) { return row(both[i / D], i % D); }).values());
      EXPECT_CLOSE(kernel::scatter_add(dy, ids, 0, {13, D}), clear::scatter_add(dy, ids, 0, {13, D}));
      EXPECT_CLOSE(kernel::scatter_add(dy, both, 0, {13, D}),
                   clear::scatter_add(dy, both, 0, {13, D}));  // ids of `more` are left out
      EXPECT_CLOSE(kernel::scatter_add(dy, both, 13, {4, D}), clear::scatter_add(dy, both, 13, {4, D}));
      std::vector<double> sums(static_cast<std::size_t>(4 * D), 0);  // and the clear version against the definition
      for (Index i = 0; i < n * D; ++i)
        if (both[i / D] >= 13) nth(sums, (both[i / D] - 13) * D + i % D) += dy[i];
      EXPECT_LE(distance(numbers(clear::scatter_add(dy, both, 13, {4, D})), sums, 1), tolerance);
    }
}

TEST(Kernels, Rotary) {
  for (const Shape& s : {Shape{1, 1, 1, 2}, Shape{2, 3, 7, 10}, Shape{1, 2, 65, 34}, Shape{3, 5, 17, 64}}) {
    const Index T = s[2], D = s[3];
    const Tensor x = random(s, 1), theta = rotary_frequencies(D, 1000);
    const Ids one = random_ids({T}, 50, 2), each = random_ids({s[0], T}, 50, 3);
    for (const bool per_row : {false, true}) {
      const Ids& positions = per_row ? each : one;
      const Tensor y = kernel::rotary(x, positions, theta, 1);
      EXPECT_LE(distance(y, made(s,
                                 [&](Index i) {
                                   const Index d = i % D, t = i / D % T, b = i / D / T / s[1], half = D / 2;
                                   const double angle = double(positions[per_row ? b * T + t : t]) * theta[d % half];
                                   const double other = d < half ? -x[i + half] : x[i - half];
                                   return x[i] * std::cos(angle) + other * std::sin(angle);
                                 })),
                tolerance);
      EXPECT_CLOSE(kernel::rotary(y, positions, theta, -1), x);
    }
  }
}

/// Number i is lane i mod 4 of philox(i / 4, key): the strip-wise kernel against the function of rng.h.
TEST(Kernels, DropoutMaskIsPhilox) {
  for (const std::uint64_t key : {std::uint64_t(0), std::uint64_t(7), std::uint64_t(0xfedcba9876543210)})
    for (const Index n : awkward) {
      const real p = real(0.375);
      const Tensor y = kernel::dropout(Tensor(Shape{n}, 1), p, key);
      for (Index i = 0; i < n; ++i) {
        const std::uint32_t bits =
            philox({static_cast<std::uint32_t>(i / 4), 0, 0, 0},
                   {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)})[static_cast<std::size_t>(i % 4)];
        ASSERT_EQ(y[i] != 0, bits >= 0.375 * 0x1p32) << n << " " << i;
      }
    }
}

}  // namespace
}  // namespace graft::table
