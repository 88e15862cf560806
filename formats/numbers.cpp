// 16-bit floats, and tensors of any float type as float or double. A tensor may begin at any byte of a file, so numbers are
// loaded with memcpy, which costs nothing and lets the compiler vectorize the loops.
#include <cstring>
#include <limits>

#include "autograd/errors.h"
#include "formats/inside/place.h"
#include "formats/safetensors.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the files are little-endian, and numbers are copied as they are");
static_assert(std::numeric_limits<float>::is_iec559 && std::numeric_limits<double>::is_iec559, "floats are IEEE 754's");

namespace graft::formats {

namespace {

template <class To, class From>
To same_bits(From from) {
  static_assert(sizeof(To) == sizeof(From), "");
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}

// binary16: 1 sign, 5 exponent (bias 15), 10 fraction bits. Shifted into a binary32 the exponent is 112 too small, which one
// product corrects, also for subnormals: they are subnormal floats until then.
inline float half(std::uint16_t bits) {
  const std::uint32_t sign = (bits & 0x8000u) << 16, rest = (bits & 0x7fffu) << 13;
  const float finite = same_bits<float>(rest) * 0x1p112f;
  const std::uint32_t value = rest >= 0x7c00u << 13 ? rest | 0x7f800000u : same_bits<std::uint32_t>(finite);
  return same_bits<float>(sign | value);
}

inline float bfloat(std::uint16_t bits) { return same_bits<float>(static_cast<std::uint32_t>(bits) << 16); }

template <class Stored, class To, class Convert>
void read_each(const TensorEntry& entry, To* to, Convert convert) {
  const auto count = static_cast<std::size_t>(entry.numel());
  for (std::size_t i = 0; i < count; ++i) {
    Stored stored;
    std::memcpy(&stored, entry.data + i * sizeof stored, sizeof stored);
    to[i] = static_cast<To>(convert(stored));
  }
}

template <class To>
void read_as(const TensorEntry& entry, To* to, const std::string& path) {
  switch (entry.dtype) {
    case Dtype::F32: return read_each<float>(entry, to, [](float x) { return x; });
    case Dtype::F64: return read_each<double>(entry, to, [](double x) { return x; });
    case Dtype::F16: return read_each<std::uint16_t>(entry, to, half);
    case Dtype::BF16: return read_each<std::uint16_t>(entry, to, bfloat);
    default:
      throw FormatError(text(path, ": tensor ", inside::Quoted{entry.name}, " holds ", name(entry.dtype),
                             "; numbers are read from F32, F16, BF16 or F64: convert the file first"));
  }
}

}  // namespace

void read_numbers(const TensorEntry& entry, float* to, const std::string& path) { read_as(entry, to, path); }
void read_numbers(const TensorEntry& entry, double* to, const std::string& path) { read_as(entry, to, path); }

float from_half(std::uint16_t bits) { return half(bits); }
float from_bfloat(std::uint16_t bits) { return bfloat(bits); }

std::uint16_t to_half(float value) {
  const auto all = same_bits<std::uint32_t>(value);
  const std::uint32_t sign = all >> 16 & 0x8000u, rest = all & 0x7fffffffu;
  std::uint32_t to;
  if (rest > 0x7f800000u) to = 0x7e00u | (rest >> 13 & 0x3ffu);  // NaN stays NaN, made quiet
  else if (rest >= 0x477ff000u)
    to = 0x7c00u;  // from 65520, halfway between the largest half and the next power of two: infinity
  else if (rest < 0x38800000u)
    // Below 2^-14, halves are multiples of 2^-24, like floats just above 0.5: the sum rounds correctly.
    to = same_bits<std::uint32_t>(same_bits<float>(rest) + 0.5f) - 0x3f000000u;
  else to = (rest - (112u << 23) + 0xfffu + (rest >> 13 & 1u)) >> 13;  // a carry into the exponent is correct
  return static_cast<std::uint16_t>(sign | to);
}

std::uint16_t to_bfloat(float value) {
  const auto all = same_bits<std::uint32_t>(value);
  if ((all & 0x7fffffffu) > 0x7f800000u) return static_cast<std::uint16_t>(all >> 16 | 0x40u);  // quiet, never infinity
  return static_cast<std::uint16_t>((all + 0x7fffu + (all >> 16 & 1u)) >> 16);
}

}  // namespace graft::formats
