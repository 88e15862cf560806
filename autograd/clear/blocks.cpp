// The block formats of GGUF files, one function each: a block's bytes, and the numbers they stand for. q are the small
// integers, d and m the scale and the offset of a block (half precision). Source: ggml's block_q4_0 .. block_q6_K.
// Scales times integers need at most 23 bits, so only the last addition of a formula rounds: every order, and a fused
// multiply-add too, gives the same bits as the reference.
#include "autograd/blocks.h"

#include <cstring>

#include "autograd/errors.h"

namespace graft {
namespace {

using Byte = std::uint8_t;

template <class T>
T load(const Byte* at) {  // at any alignment
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

float from_bits(std::uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// IEEE half: sign, 5 exponent bits (bias 15), 10 fraction bits. Shifted into a float, whose bias is 127, they lack a factor
/// of 2^112; multiplying by it handles subnormals too.
float half(const Byte* at) {
  const std::uint32_t h = load<std::uint16_t>(at), sign = (h & 0x8000) << 16, rest = (h & 0x7fff) << 13;
  if ((h & 0x7c00) == 0x7c00) return from_bits(sign | 0x7f800000 | rest);  // infinity or NaN
  return from_bits(sign | rest) * 0x1p112F;
}

int low(Byte b) { return b & 15; }
int high(Byte b) { return b >> 4; }

// --- plain ------------------------------------------------------------------------------------------------------------

void f32(const Byte* b, real* x) { *x = load<float>(b); }
void f16(const Byte* b, real* x) { *x = half(b); }
void bf16(const Byte* b, real* x) { *x = from_bits(std::uint32_t(load<std::uint16_t>(b)) << 16); }

// --- 32 numbers: x[i] and x[i + 16] share a byte ------------------------------------------------------------------------

/// d, 16 bytes: d·(q - 8)
void q4_0(const Byte* b, real* x) {
  const float d = half(b);
  for (int i = 0; i < 16; ++i) {
    x[i] = d * static_cast<float>(low(b[2 + i]) - 8);
    x[i + 16] = d * static_cast<float>(high(b[2 + i]) - 8);
  }
}

/// d, m, 16 bytes: d·q + m
void q4_1(const Byte* b, real* x) {
  const float d = half(b), m = half(b + 2);
  for (int i = 0; i < 16; ++i) {
    x[i] = d * static_cast<float>(low(b[4 + i])) + m;
    x[i + 16] = d * static_cast<float>(high(b[4 + i])) + m;
  }
}

/// The fifth bit of q[i] is bit i of a separate word.
int fifth(std::uint32_t bits, int i) { return static_cast<int>(bits >> i & 1) * 16; }

/// d, 4 bytes of fifth bits, 16 bytes: d·(q - 16)
void q5_0(const Byte* b, real* x) {
  const float d = half(b);
  const auto bits = load<std::uint32_t>(b + 2);
  for (int i = 0; i < 16; ++i) {
    x[i] = d * static_cast<float>(low(b[6 + i]) + fifth(bits, i) - 16);
    x[i + 16] = d * static_cast<float>(high(b[6 + i]) + fifth(bits, i + 16) - 16);
  }
}

/// d, m, 4 bytes of fifth bits, 16 bytes: d·q + m
void q5_1(const Byte* b, real* x) {
  const float d = half(b), m = half(b + 2);
  const auto bits = load<std::uint32_t>(b + 4);
  for (int i = 0; i < 16; ++i) {
    x[i] = d * static_cast<float>(low(b[8 + i]) + fifth(bits, i)) + m;
    x[i + 16] = d * static_cast<float>(high(b[8 + i]) + fifth(bits, i + 16)) + m;
  }
}

/// d, 32 signed bytes: d·q
void q8_0(const Byte* b, real* x) {
  const float d = half(b);
  for (int i = 0; i < 32; ++i) x[i] = d * static_cast<float>(load<std::int8_t>(b + 2 + i));
}

// --- 256 numbers with scales of their own for each 32 or 16 -----------------------------------------------------------

/// d, dmin, 12 bytes of scales and minima, 128 bytes: d·scale_j·q - dmin·min_j for the eighths j. Two neighbouring eighths
/// share 32 bytes. The first four scales and minima are the low six bits of a byte; the others have four bits in bytes
/// 8 to 11 and two in the high bits of the first four.
void q4_K(const Byte* b, real* x) {
  const float d = half(b), dmin = half(b + 2);
  const Byte *s = b + 4, *q = b + 16;
  for (int j = 0; j < 8; ++j) {
    const int scale = j < 4 ? s[j] & 63 : low(s[j + 4]) | (s[j - 4] >> 6) << 4;
    const int min = j < 4 ? s[j + 4] & 63 : high(s[j + 4]) | (s[j] >> 6) << 4;
    const float step = d * static_cast<float>(scale), offset = dmin * static_cast<float>(min);
    for (int i = 0; i < 32; ++i) {
      const Byte both = q[j / 2 * 32 + i];
      x[32 * j + i] = step * static_cast<float>(j % 2 == 0 ? low(both) : high(both)) - offset;
    }
  }
}

/// 128 bytes of low bits, 64 of high bits, 16 signed scales, d: d·scale·(q - 32). Eighth j = 4·half + k has its low four bits
/// in the nibbles of 32 bytes that it shares with the eighth two further on, its high two bits in 32 bytes shared by all four.
void q6_K(const Byte* b, real* x) {
  const float d = half(b + 208);
  for (int j = 0; j < 8; ++j) {
    const int k = j % 4;
    const Byte *lows = b + j / 4 * 64 + k % 2 * 32, *highs = b + 128 + j / 4 * 32;
    for (int i = 0; i < 32; ++i) {
      const int q = (k < 2 ? low(lows[i]) : high(lows[i])) | (highs[i] >> 2 * k & 3) << 4;
      const float step = d * static_cast<float>(load<std::int8_t>(b + 192 + 2 * j + i / 16));
      x[32 * j + i] = step * static_cast<float>(q - 32);
    }
  }
}

// --- the table --------------------------------------------------------------------------------------------------------

struct Layout {
  BlockFormat format;
  const char* name;
  Index numbers;      // of a block
  std::size_t bytes;  // of a block
  void (*unpack)(const Byte* block, real* x);
};
constexpr Layout layouts[] = {
    {BlockFormat::f32, "F32", 1, 4, f32},        {BlockFormat::f16, "F16", 1, 2, f16},
    {BlockFormat::bf16, "BF16", 1, 2, bf16},     {BlockFormat::q4_0, "Q4_0", 32, 18, q4_0},
    {BlockFormat::q4_1, "Q4_1", 32, 20, q4_1},   {BlockFormat::q5_0, "Q5_0", 32, 22, q5_0},
    {BlockFormat::q5_1, "Q5_1", 32, 24, q5_1},   {BlockFormat::q8_0, "Q8_0", 32, 34, q8_0},
    {BlockFormat::q4_K, "Q4_K", 256, 144, q4_K}, {BlockFormat::q6_K, "Q6_K", 256, 210, q6_K},
};

const Layout& layout(BlockFormat format) {
  for (const Layout& one : layouts)
    if (one.format == format) return one;
  std::string known;
  for (const Layout& one : layouts) known += text(' ', one.name, " (", static_cast<std::uint32_t>(one.format), ")");
  throw ValueError(text("blocks: unknown block format ", static_cast<std::uint32_t>(format), "; known formats:", known));
}

}  // namespace

const char* name(BlockFormat format) { return layout(format).name; }
Index numbers_per_block(BlockFormat format) { return layout(format).numbers; }
std::size_t bytes_per_block(BlockFormat format) { return layout(format).bytes; }

std::size_t bytes_per_row(BlockFormat format, Index cols) {
  const Layout& one = layout(format);
  expect<SizeError>(cols >= 0, "blocks: a row cannot have ", cols, " numbers");
  expect(cols % one.numbers == 0, "blocks: a row of ", cols, " numbers cannot be stored as ", one.name, ", whose blocks hold ",
         one.numbers, "; it must be a multiple of that");
  return static_cast<std::size_t>(cols / one.numbers) * one.bytes;
}

void unpack_blocks(BlockFormat format, const void* blocks, Index n, real* to) {
  bytes_per_row(format, n);  // for its checks
  const Layout& one = layout(format);
  const Byte* block = static_cast<const Byte*>(blocks);
  for (Index i = 0; i < n; i += one.numbers, block += one.bytes) one.unpack(block, to + i);
}

}  // namespace graft
