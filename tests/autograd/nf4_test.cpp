// 4-bit weights against bitsandbytes (tests/fixtures/nf4.safetensors, made by make_nf4.py), and fast against clear.
#include "autograd/nf4.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/ledger.h"
#include "autograd/ops.h"
#include "autograd/rng.h"
#include "tests/autograd/gradient_check.h"
#include "tests/here.h"
#include "tests/nn/fixture.h"

namespace graft {
namespace {

using Codes = FourBitOptions::Codes;
const fixture::RawFile& reference() {
  static const fixture::RawFile file = fixture::read_raw(here::fixtures() + "/nf4.safetensors");
  return file;
}
Tensor matrix_of(const std::string& key) {
  const fixture::Raw& raw = reference().at(key);
  const fixture::Numbers v = raw.numbers();
  return Tensor(Shape{raw.shape[0], raw.shape[1]}, std::vector<real>(v.begin(), v.end()));
}

TEST(FourBits, TheDynamicMapIsThatOfBitsandbytes) {
  const fixture::Numbers expected = reference().at("map").numbers();
  ASSERT_EQ(expected.size(), 256u);
  for (std::size_t i = 0; i < 256; ++i) EXPECT_EQ(dynamic_map()[i], static_cast<float>(expected[i])) << i;
}

/// The sixteen values from their definition: quantiles of the normal distribution at even probabilities (QLoRA, appendix E).
TEST(FourBits, NF4HoldsNormalQuantiles) {
  const auto quantile = [](double p) {  // by bisection of Φ
    double low = -10, high = 10;
    for (int i = 0; i < 200; ++i) (0.5 * std::erfc(-(low + high) / 2 / std::sqrt(2.0)) < p ? low : high) = (low + high) / 2;
    return low;
  };
  const double most = 0.9677083;
  for (int i = 0; i < 8; ++i) {  // eight above zero, seven below
    EXPECT_NEAR(four_bit_codes(Codes::nf4)[static_cast<std::size_t>(15 - i)],
                quantile(most + (0.5 - most) * i / 8) / quantile(most), 1e-6);
    if (i < 7) {
      EXPECT_NEAR(four_bit_codes(Codes::nf4)[static_cast<std::size_t>(i)],
                  -quantile(most + (0.5 - most) * i / 7) / quantile(most), 1e-6);
    }
  }
}

TEST(FourBits, BitsAreThoseOfBitsandbytes) {
  int checked = 0;
  for (const auto& entry : reference()) {
    const std::string& key = entry.first;
    const std::string end = ".packed";
    if (key.size() < end.size() || key.compare(key.size() - end.size(), end.size(), end) != 0) continue;
    const std::string stem = key.substr(0, key.size() - end.size());
    FourBitOptions options;
    options.codes = stem.find(".fp4") != std::string::npos ? Codes::fp4 : Codes::nf4;
    options.double_quantized = stem.find(".double") != std::string::npos;
    const FourBitMatrix q(matrix_of(stem.substr(0, stem.find('.')) + ".W"), options);
    const fixture::Numbers bytes = entry.second.numbers();
    ASSERT_EQ(q.packed.size(), bytes.size()) << stem;
    for (std::size_t i = 0; i < bytes.size(); ++i) ASSERT_EQ(q.packed[i], bytes[i]) << stem << " byte " << i;
    const auto same = [&](const std::vector<float>& ours, const char* what) {
      const fixture::Numbers theirs = reference().at(stem + what).numbers();
      ASSERT_EQ(ours.size(), theirs.size()) << stem << what;
      for (std::size_t i = 0; i < ours.size(); ++i)
        EXPECT_EQ(ours[i], static_cast<float>(theirs[i])) << stem << what << " " << i;
    };
    if (!options.double_quantized) {
      same(q.scales, ".absmax");
    } else {
      const fixture::Numbers codes = reference().at(stem + ".absmax8").numbers();
      ASSERT_EQ(q.scales8.size(), codes.size());
      for (std::size_t i = 0; i < codes.size(); ++i) EXPECT_EQ(q.scales8[i], codes[i]) << stem << " absmax " << i;
      same({q.offset}, ".offset");
      same(q.scales2, ".absmax2");
    }
    if (reference().count(stem + ".dequantized")) {
      const Tensor dense = q.dense();
      const fixture::Numbers expected = reference().at(stem + ".dequantized").numbers();
      for (std::size_t i = 0; i < expected.size(); ++i)
        EXPECT_EQ(static_cast<float>(dense[static_cast<Index>(i)]), static_cast<float>(expected[i])) << stem << " number " << i;
    }
    ++checked;
  }
  EXPECT_EQ(checked, 21);
}

/// At a real size double quantization meets numbers near the borders of its 8 bits. The matrix is computed as make_nf4.py does.
TEST(FourBits, BitsAreThoseOfBitsandbytesAtARealSize) {
  std::vector<real> W(768 * 768);
  for (std::size_t i = 0; i < W.size(); ++i) {
    std::uint32_t hashed = static_cast<std::uint32_t>(i) * 2654435761U;
    hashed = (hashed ^ (hashed >> 15)) * 2246822519U;
    int total = -510;
    for (int byte = 0; byte < 4; ++byte) total += static_cast<int>(hashed >> (8 * byte) & 255);
    W[i] = static_cast<real>(static_cast<float>(total) / 6500.F);
  }
  const FourBitMatrix q(Tensor(Shape{768, 768}, std::move(W)), {});
  const fixture::Numbers bytes = reference().at("real.bytes").numbers(), codes = reference().at("real.absmax8").numbers();
  ASSERT_EQ(bytes.size(), (q.packed.size() + 36) / 37);
  for (std::size_t i = 0; i < bytes.size(); ++i) ASSERT_EQ(q.packed[37 * i], bytes[i]) << i;
  ASSERT_EQ(q.scales8.size(), codes.size());
  int different = 0;
  for (std::size_t i = 0; i < codes.size(); ++i) different += q.scales8[i] != codes[i];
  EXPECT_EQ(different, 0) << "of " << codes.size();
  EXPECT_EQ(q.offset, static_cast<float>(reference().at("real.offset").numbers()[0]));
  const fixture::Numbers second = reference().at("real.absmax2").numbers();
  ASSERT_EQ(q.scales2.size(), second.size());
  for (std::size_t i = 0; i < second.size(); ++i) EXPECT_EQ(q.scales2[i], static_cast<float>(second[i])) << i;
}

TEST(FourBits, BitsPerWeight) {
  Rng rng(1);
  const Tensor W = normal({768, 768}, 0, 1, rng);
  FourBitOptions options;
  const std::size_t before = ledger()[Category::frozen];
  const FourBitMatrix q(W, options);
  EXPECT_NEAR(q.bits_per_weight(), 4 + 8.0 / 64 + 32.0 / (64 * 256), 1e-3);  // 4.127
  EXPECT_EQ(ledger()[Category::frozen] - before, q.bytes());
  options.double_quantized = false;
  EXPECT_NEAR(FourBitMatrix(W, options).bits_per_weight(), 4.5, 1e-9);
}

TEST(FourBits, FastEqualsClear) {
  Rng rng(2);
  for (const Index cols : {64, 96, 70, 33, 256}) {
    const Tensor W = normal({24, cols}, 0, 1, rng);
    for (const bool twice : {false, true}) {
      FourBitOptions options;
      options.double_quantized = twice;
      const auto q = std::make_shared<const FourBitMatrix>(W, options);
      const Tensor clear = q->dense();
      for (const auto& [first, count] : {std::pair<Index, Index>{0, 24}, {5, 9}, {23, 1}}) {
        const Packed part = rows_of(q, first, count);
        const Tensor fast = dense(*part);
        for (Index i = 0; i < fast.numel(); ++i)
          ASSERT_EQ(fast[i], clear[first * cols + i]) << cols << " " << first << " " << i;
        for (const Index n : {1, 4, 7}) {
          const Tensor x = normal({n, cols}, 0, 1, rng);
          const Tensor y = linear(Variable(x), part).value();
          for (Index i = 0; i < n; ++i)
            for (Index r = 0; r < count; ++r) {
              double sum = 0;
              for (Index k = 0; k < cols; ++k) sum += double(x[i * cols + k]) * double(fast[r * cols + k]);
              ASSERT_NEAR(y[i * count + r], sum, 2e-4) << cols << " n " << n;
            }
        }
      }
    }
  }
}

TEST(FourBits, GradientsFlowThrough) {
  Rng rng(3);
  const Packed W = four_bits(normal({5, 66}, 0, 1, rng));
  const Tensor x = normal({3, 66}, 0, 1, rng), R = normal({3, 5}, 0, 1, rng);
  Variable learning = parameter(x);
  const Variable y = linear(learning, W);
  y.backward(R);
  const Tensor dense_W = dense(*W);
  for (Index i = 0; i < 3; ++i)
    for (Index k = 0; k < 66; ++k) {
      double expected = 0;
      for (Index o = 0; o < 5; ++o) expected += double(R[i * 5 + o]) * double(dense_W[o * 66 + k]);
      EXPECT_NEAR(learning.grad()[i * 66 + k], expected, 1e-5);
    }
}

TEST(FourBits, ExplainShowsEveryStep) {
  Rng rng(4);
  const Tensor W = normal({2, 64}, 0, 1, rng);
  FourBitOptions options;
  options.double_quantized = false;
  const auto steps = explain(W, 1, options);
  ASSERT_EQ(steps.size(), 64u);
  float largest = 0;
  for (Index i = 64; i < 128; ++i) largest = std::max(largest, std::abs(static_cast<float>(W[i])));
  for (std::size_t i = 0; i < 64; ++i) {
    EXPECT_EQ(steps[i].value, static_cast<float>(W[64 + static_cast<Index>(i)]));
    EXPECT_NEAR(steps[i].scaled, steps[i].value / largest, 1e-6);
    EXPECT_NEAR(steps[i].restored, four_bit_codes(Codes::nf4)[static_cast<std::size_t>(steps[i].code)] * largest, 1e-6);
    for (const float other : four_bit_codes(Codes::nf4))  // no code is nearer
      EXPECT_LE(std::abs(steps[i].restored - steps[i].value), std::abs(other * largest - steps[i].value) + 1e-6);
  }
  EXPECT_THROW(explain(W, 2, options), IndexError);
}

TEST(FourBits, Refuses) {
  FourBitOptions options;
  options.block = 48;
  EXPECT_THROW(FourBitMatrix(Tensor(Shape{2, 64}, 1), options), ValueError);
  EXPECT_THROW(FourBitMatrix(Tensor(Shape{64}, 1), {}), ShapeError);
  Tensor W(Shape{2, 64}, 1);
  W.write()[5] = std::numeric_limits<real>::quiet_NaN();
  EXPECT_THROW(FourBitMatrix(W, {}), ValueError);
  const auto q = std::make_shared<const FourBitMatrix>(Tensor(Shape{2, 64}, 1), FourBitOptions{});
  EXPECT_THROW(rows_of(q, 1, 2), IndexError);
}

}  // namespace
}  // namespace graft
