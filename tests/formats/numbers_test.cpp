// Numbers of two bytes against their definition, for every one of them; tensors at odd addresses; and numbers made when written.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <stdexcept>

#include "autograd/errors.h"
#include "formats/safetensors.h"
#include "tests/formats/scratch_folder.h"

namespace graft::formats {
namespace {

/// A format of 16 bits: a sign, an exponent with a bias, a fraction. IEEE 754-2019, 3.4.
struct Narrow {
  const char* name;
  int fraction_bits, bias;
  float (*from)(std::uint16_t);
  std::uint16_t (*to)(float);

  std::uint16_t infinity() const { return static_cast<std::uint16_t>(0x7fff >> fraction_bits << fraction_bits); }
  /// (-1)^s 2^(e - bias) (1 + f/2^p), or 2^(1 - bias) f/2^p where e is 0; beyond the largest, as if the exponents went on.
  double value(std::uint16_t bits) const {
    const int rest = bits & 0x7fff, exponent = rest >> fraction_bits, fraction = rest & ((1 << fraction_bits) - 1);
    const double size = exponent == 0 ? std::ldexp(fraction, 1 - bias - fraction_bits)
                                      : std::ldexp((1 << fraction_bits) + fraction, exponent - bias - fraction_bits);
    return (bits & 0x8000) != 0 ? -size : size;
  }
};
const Narrow formats_of_16_bits[] = {{"F16", 10, 15, from_half, to_half}, {"BF16", 7, 127, from_bfloat, to_bfloat}};

float of_bits(std::uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

TEST(Numbers, AllOfTwoBytesAreReadByTheDefinition) {
  for (const Narrow& f : formats_of_16_bits)
    for (std::uint32_t i = 0; i < 65536; ++i) {
      const auto bits = static_cast<std::uint16_t>(i);
      const float value = f.from(bits);
      ASSERT_EQ(std::signbit(value), (bits & 0x8000) != 0) << f.name << ' ' << bits;
      if ((bits & 0x7fff) > f.infinity()) ASSERT_TRUE(std::isnan(value)) << f.name << ' ' << bits;
      else if ((bits & 0x7fff) == f.infinity()) ASSERT_TRUE(std::isinf(value)) << f.name << ' ' << bits;
      else ASSERT_EQ(static_cast<double>(value), f.value(bits)) << f.name << ' ' << bits;
    }
}

TEST(Numbers, AllOfTwoBytesComeBack) {
  for (const Narrow& f : formats_of_16_bits)
    for (std::uint32_t i = 0; i < 65536; ++i) {
      const auto bits = static_cast<std::uint16_t>(i);
      const std::uint16_t back = f.to(f.from(bits));
      if ((bits & 0x7fff) <= f.infinity()) ASSERT_EQ(back, bits) << f.name;
      else ASSERT_GT(back & 0x7fff, f.infinity()) << f.name << ' ' << bits << ": a NaN stays one";
    }
}

/// Every middle between two neighbours goes to the even one, and the floats next to it to the nearer one; beyond the middle
/// between the largest number and the power of two that would follow it lies infinity.
TEST(Numbers, RoundToTheNearestAndMiddlesToTheEven) {
  for (const Narrow& f : formats_of_16_bits)
    for (std::uint16_t low = 0; low < f.infinity(); ++low) {
      const auto high = static_cast<std::uint16_t>(low + 1), even = static_cast<std::uint16_t>(low + (low & 1));
      const double middle = (f.value(low) + f.value(high)) / 2;
      const auto at = static_cast<float>(middle);
      ASSERT_EQ(static_cast<double>(at), middle) << "a float holds it";
      const float below = std::nextafter(at, 0.0f), above = std::nextafter(at, std::numeric_limits<float>::infinity());
      for (const std::uint16_t sign : {0x0000, 0x8000}) {
        const float s = sign == 0 ? 1.0f : -1.0f;
        ASSERT_EQ(f.to(s * at), sign | even) << f.name << ' ' << s * at;
        ASSERT_EQ(f.to(s * below), sign | low) << f.name << ' ' << s * below;
        ASSERT_EQ(f.to(s * above), sign | high) << f.name << ' ' << s * above;
      }
    }
}

TEST(Numbers, RoundingKeepsTheOrder) {
  std::mt19937 random(7);
  for (const Narrow& f : formats_of_16_bits)
    for (int i = 0; i < 200000; ++i) {
      const std::uint32_t bits = static_cast<std::uint32_t>(random()) & 0x7fffffffu;
      if (bits > 0x7f800000u) continue;
      const std::uint16_t to = f.to(of_bits(bits));
      const double value = static_cast<double>(of_bits(bits));
      ASSERT_LE(to, f.infinity());
      if (to > 0) { ASSERT_GE(value, (f.value(static_cast<std::uint16_t>(to - 1)) + f.value(to)) / 2) << f.name; }
      if (to < f.infinity()) { ASSERT_LE(value, (f.value(to) + f.value(static_cast<std::uint16_t>(to + 1))) / 2) << f.name; }
    }
}

TEST(Numbers, EdgesAreWhatTheyShouldBe) {
  const float infinity = std::numeric_limits<float>::infinity();
  const struct {
    float value;
    std::uint16_t half, bfloat;
  } rows[] = {{0.0f, 0, 0},
              {-0.0f, 0x8000, 0x8000},
              {1.0f, 0x3c00, 0x3f80},
              {-2.0f, 0xc000, 0xc000},
              {65504.0f, 0x7bff, 0x4780},
              {65519.996f, 0x7bff, 0x4780},
              {65520.0f, 0x7c00, 0x4780},
              {-1e30f, 0xfc00, 0xf14a},
              {infinity, 0x7c00, 0x7f80},
              {-infinity, 0xfc00, 0xff80},
              {std::numeric_limits<float>::max(), 0x7c00, 0x7f80},
              {0x1p-24f, 0x0001, 0x3380},
              {0x1p-25f, 0x0000, 0x3300},
              {0x1.000002p-25f, 0x0001, 0x3300},
              {0x1p-149f, 0x0000, 0x0000}};
  for (const auto& row : rows) {
    EXPECT_EQ(to_half(row.value), row.half) << row.value;
    EXPECT_EQ(to_bfloat(row.value), row.bfloat) << row.value;
  }
  // NaNs whose fraction lies below what is kept must not become infinities; nor may they wrap to another sign.
  for (const std::uint32_t nan : {0x7f800001u, 0x7fffffffu, 0xff800001u, 0xffffffffu, 0x7fc00000u})
    for (const Narrow& f : formats_of_16_bits) {
      EXPECT_GT(f.to(of_bits(nan)) & 0x7fff, f.infinity()) << f.name << std::hex << nan;
      EXPECT_EQ(f.to(of_bits(nan)) >> 15, static_cast<int>(nan >> 31)) << f.name << std::hex << nan;
    }
}

/// The bytes of values, so many from the beginning of a buffer, read as both types.
template <class Stored>
void expect_read(Dtype dtype, const std::vector<Stored>& stored, const std::vector<double>& values) {
  for (std::size_t shift = 0; shift < 9; ++shift) {
    // On the heap and just as long, so that a sanitizer sees a byte too many.
    std::vector<std::uint8_t> buffer(shift + stored.size() * sizeof(Stored));
    std::memcpy(buffer.data() + shift, stored.data(), stored.size() * sizeof(Stored));
    const TensorEntry entry{
        "a", dtype, {static_cast<std::int64_t>(values.size())}, buffer.data() + shift, buffer.size() - shift};
    std::vector<float> floats(values.size());
    std::vector<double> doubles(values.size());
    read_numbers(entry, floats.data(), "file");
    read_numbers(entry, doubles.data(), "file");
    EXPECT_EQ(doubles, values) << name(dtype) << " at " << shift;
    EXPECT_EQ(floats, std::vector<float>(values.begin(), values.end())) << name(dtype) << " at " << shift;
  }
}

TEST(Numbers, OfEachTypeAreReadAtAnyAddress) {
  const std::vector<double> values = {1.5, -2.25, 0, -0.0078125, 384};
  expect_read<double>(Dtype::F64, values, values);
  expect_read<float>(Dtype::F32, {1.5f, -2.25f, 0, -0.0078125f, 384}, values);
  expect_read<std::uint16_t>(Dtype::F16, {0x3e00, 0xc080, 0, 0xa000, 0x5e00}, values);
  expect_read<std::uint16_t>(Dtype::BF16, {0x3fc0, 0xc010, 0, 0xbc00, 0x43c0}, values);
  expect_read<double>(Dtype::F64, {0.1}, {0.1});  // the double as it is, the float rounded
  const TensorEntry empty{"a", Dtype::F32, {3, 0}, nullptr, 0}, scalar{"a", Dtype::BF16, {}, nullptr, 2};
  EXPECT_NO_THROW(read_numbers(empty, static_cast<float*>(nullptr), "file"));
  EXPECT_EQ(scalar.numel(), 1);
}

TEST(Numbers, OfOtherTypesAreRefused) {
  const std::uint8_t bytes[8] = {};
  for (int i = 0; i < 22; ++i) {
    const auto dtype = static_cast<Dtype>(i);
    if (dtype == Dtype::F64 || dtype == Dtype::F32 || dtype == Dtype::F16 || dtype == Dtype::BF16) continue;
    const TensorEntry entry{"a\x1b[2J", dtype, {1}, bytes, 8};
    float to = 7;
    try {
      read_numbers(entry, &to, "m.safetensors");
      ADD_FAILURE() << name(dtype);
    } catch (const FormatError& error) {
      EXPECT_EQ(std::string(error.what()), std::string("m.safetensors: tensor \"a\\x1b[2J\" holds ") + name(dtype) +
                                               "; numbers are read from F32, F16, BF16 or F64: convert the file first");
    }
    EXPECT_EQ(to, 7);
  }
}

TEST(Numbers, CanBeMadeWhenTheyAreWritten) {
  const ScratchFolder folder;
  const std::vector<float> a = {1, 2.5f, -3}, b(70000, 0.1f);  // b is longer than a bufferful
  for (const Dtype as : {Dtype::F32, Dtype::F16, Dtype::BF16}) {
    int made = 0;
    const auto counted = [&](const std::vector<float>& numbers) { return [&] { return ++made, numbers; }; };
    write_safetensors(folder.path("data"), {{"a", {3}, a.data()}, {"b", {70000}, b.data()}, {"c", {0, 2}}}, as);
    write_safetensors(folder.path("made"),
                      {{"a", {3}, nullptr, nullptr, counted(a)},
                       {"b", {70000}, nullptr, nullptr, counted(b)},
                       {"c", {0, 2}, nullptr, nullptr, counted({})}},
                      as);
    EXPECT_TRUE(read_text(folder.path("data")) == read_text(folder.path("made"))) << name(as);
    EXPECT_EQ(made, 2) << "each once, and not for a tensor without numbers";
  }
}

TEST(Numbers, OfAWrongCountLeaveNothing) {
  const ScratchFolder folder;
  const std::string path = folder.path("m");
  const float x = 1;
  for (const bool old : {false, true}) {
    if (old) write_text(path, "old");
    for (const std::size_t count : {0, 3, 5})
      for (const Dtype as : {Dtype::F32, Dtype::F16}) {
        const std::vector<Numbers> tensors = {{"a", {1}, &x},
                                              {"b", {2, 2}, nullptr, nullptr, [count] { return std::vector<float>(count); }}};
        try {
          write_safetensors(path, tensors, as);
          ADD_FAILURE() << count;
        } catch (const ValueError& error) {
          const std::string what = error.what();
          EXPECT_NE(what.find("\"b\" needs 4 numbers for its shape, but make() gave " + std::to_string(count)),
                    std::string::npos)
              << what;
        }
      }
    const std::vector<Numbers> throwing = {
        {"a", {1}, nullptr, nullptr, []() -> std::vector<float> { throw std::runtime_error("the maker's own"); }}};
    EXPECT_THROW(write_safetensors(path, throwing), std::runtime_error);
    const std::vector<Numbers> twice = {{"a", {1}, &x, nullptr, [] { return std::vector<float>(1); }}};
    EXPECT_THROW(write_safetensors(path, twice), ValueError);
    EXPECT_EQ(folder.names(), old ? std::set<std::string>{"m"} : std::set<std::string>{});
    if (old) { EXPECT_EQ(read_text(path), "old"); }
  }
}

}  // namespace
}  // namespace graft::formats
