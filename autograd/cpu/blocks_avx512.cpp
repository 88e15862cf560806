// Blocks with AVX-512: 32 numbers at a time become two registers of floats, which are stored (unpack) or multiplied by x.
// Four bits are looked up: one register holds a block's sixteen values d·q + m, and its nibbles select from it. unpack gives
// the same bits as the clear version (see the top of clear/blocks.cpp).
#include "autograd/cpu/blocks_fast.h"

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__) && defined(__F16C__) && !defined(GRAFT_DOUBLE)
#include <immintrin.h>

#include <algorithm>
#include <cstring>

namespace graft::kernel {
namespace {

using Byte = std::uint8_t;
using Floats = __m512;
using Ints = __m512i;

template <class T>
T load(const Byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}
__m128i load16(const Byte* at) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at)); }
__m256i load32(const Byte* at) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)); }
Ints unsigned_bytes(const Byte* at) { return _mm512_cvtepu8_epi32(load16(at)); }

float half(const Byte* at) { return _cvtsh_ss(load<std::uint16_t>(at)); }

/// first, first + 1, .. first + 15
Floats count_from(float first) {
  return _mm512_add_ps(_mm512_set1_ps(first), _mm512_set_ps(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
}
/// table[q & 15], and table[q >> 4 & 15]
Floats low(Ints q, Floats table) { return _mm512_permutexvar_ps(q, table); }
Floats high(Ints q, Floats table) { return _mm512_permutexvar_ps(_mm512_srli_epi32(q, 4), table); }

// --- formats: each() calls use(i, numbers i to i + 15, numbers i + 16 to i + 31). Where a block begins with its scales,
// d and m are those scales (m is meaningless in formats without one).

struct F32 {
  static constexpr Index numbers = 32, bytes = 128;
  static constexpr bool begins_with_scales = false;
  template <class Use>
  static void each(const Byte* b, Floats, Floats, const Use& use) {
    use(0, _mm512_loadu_ps(b), _mm512_loadu_ps(b + 64));
  }
};

struct F16 {
  static constexpr Index numbers = 32, bytes = 64;
  static constexpr bool begins_with_scales = false;
  template <class Use>
  static void each(const Byte* b, Floats, Floats, const Use& use) {
    use(0, _mm512_cvtph_ps(load32(b)), _mm512_cvtph_ps(load32(b + 32)));
  }
};

struct Bf16 {
  static constexpr Index numbers = 32, bytes = 64;
  static constexpr bool begins_with_scales = false;
  template <class Use>
  static void each(const Byte* b, Floats, Floats, const Use& use) {
    const auto floats = [](__m256i x) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16)); };
    use(0, floats(load32(b)), floats(load32(b + 32)));
  }
};

struct Q4_0 {
  static constexpr Index numbers = 32, bytes = 18;
  static constexpr bool begins_with_scales = true;
  template <class Use>
  static void each(const Byte* b, Floats d, Floats, const Use& use) {
    const Floats table = _mm512_mul_ps(d, count_from(-8));
    const Ints q = unsigned_bytes(b + 2);
    use(0, low(q, table), high(q, table));
  }
};

struct Q4_1 {
  static constexpr Index numbers = 32, bytes = 20;
  static constexpr bool begins_with_scales = true;
  template <class Use>
  static void each(const Byte* b, Floats d, Floats m, const Use& use) {
    const Floats table = _mm512_fmadd_ps(d, count_from(0), m);
    const Ints q = unsigned_bytes(b + 4);
    use(0, low(q, table), high(q, table));
  }
};

/// The fifth bit of a number chooses between two tables.
template <class Use>
void five_bits(const Byte* bits, const Byte* bytes, Floats without, Floats with, const Use& use) {
  const auto fifth = load<std::uint32_t>(bits);
  const Ints q = unsigned_bytes(bytes);
  use(0, _mm512_mask_blend_ps(static_cast<__mmask16>(fifth), low(q, without), low(q, with)),
      _mm512_mask_blend_ps(static_cast<__mmask16>(fifth >> 16), high(q, without), high(q, with)));
}

struct Q5_0 {
  static constexpr Index numbers = 32, bytes = 22;
  static constexpr bool begins_with_scales = true;
  template <class Use>
  static void each(const Byte* b, Floats d, Floats, const Use& use) {
    five_bits(b + 2, b + 6, _mm512_mul_ps(d, count_from(-16)), _mm512_mul_ps(d, count_from(0)), use);
  }
};

struct Q5_1 {
  static constexpr Index numbers = 32, bytes = 24;
  static constexpr bool begins_with_scales = true;
  template <class Use>
  static void each(const Byte* b, Floats d, Floats m, const Use& use) {
    five_bits(b + 4, b + 8, _mm512_fmadd_ps(d, count_from(0), m), _mm512_fmadd_ps(d, count_from(16), m), use);
  }
};

struct Q8_0 {
  static constexpr Index numbers = 32, bytes = 34;
  static constexpr bool begins_with_scales = true;
  template <class Use>
  static void each(const Byte* b, Floats d, Floats, const Use& use) {
    const auto floats = [d](__m128i q) { return _mm512_mul_ps(d, _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(q))); };
    use(0, floats(load16(b + 2)), floats(load16(b + 18)));
  }
};

struct Q4_K {
  static constexpr Index numbers = 256, bytes = 144;
  static constexpr bool begins_with_scales = false;
  template <class Use>
  static void each(const Byte* b, Floats, Floats, const Use& use) {
    const float d = half(b), dmin = half(b + 2);
    const Byte* s = b + 4;
    const auto table = [=](int j) {
      const int scale = j < 4 ? s[j] & 63 : (s[j + 4] & 15) | (s[j - 4] >> 6) << 4;
      const int min = j < 4 ? s[j + 4] & 63 : s[j + 4] >> 4 | (s[j] >> 6) << 4;
      return _mm512_fmsub_ps(_mm512_set1_ps(d * static_cast<float>(scale)), count_from(0),
                             _mm512_set1_ps(dmin * static_cast<float>(min)));
    };
    for (int j = 0; j < 8; j += 2) {  // two eighths share 32 bytes
      const Ints q0 = unsigned_bytes(b + 16 + 16 * j), q1 = unsigned_bytes(b + 32 + 16 * j);
      const Floats lows = table(j), highs = table(j + 1);
      use(32 * j, low(q0, lows), low(q1, lows));
      use(32 * j + 32, high(q0, highs), high(q1, highs));
    }
  }
};

struct Q6_K {
  static constexpr Index numbers = 256, bytes = 210;
  static constexpr bool begins_with_scales = false;
  template <class Use>
  static void each(const Byte* b, Floats, Floats, const Use& use) {
    const float d = half(b + 208);
    for (int j = 0; j < 8; ++j) {
      const int k = j % 4;
      const Byte *lows = b + j / 4 * 64 + k % 2 * 32, *highs = b + 128 + j / 4 * 32, *scales = b + 192 + 2 * j;
      const auto sixteen = [&](int i) {
        const Ints nibble =
            _mm512_and_si512(_mm512_srli_epi32(unsigned_bytes(lows + 16 * i), k < 2 ? 0 : 4), _mm512_set1_epi32(15));
        const Ints two = _mm512_and_si512(_mm512_srli_epi32(unsigned_bytes(highs + 16 * i), static_cast<unsigned>(2 * k)),
                                          _mm512_set1_epi32(3));
        const Ints q = _mm512_sub_epi32(_mm512_or_si512(nibble, _mm512_slli_epi32(two, 4)), _mm512_set1_epi32(32));
        return _mm512_mul_ps(_mm512_set1_ps(d * static_cast<float>(load<std::int8_t>(scales + i))), _mm512_cvtepi32_ps(q));
      };
      use(32 * j, sixteen(0), sixteen(1));
    }
  }
};

// --- loops ------------------------------------------------------------------------------------------------------------

/// use(index of the first number, 16 numbers, the next 16) along consecutive blocks. Scales become floats for eight blocks at
/// once: one at a time, that would take as long as everything else. Bytes are prefetched explicitly, because the processor's
/// own prefetcher stops at the end of a page.
template <class Format, class Use>
void along(const Byte* blocks, Index count, const Use& use) {
  constexpr int size = Format::bytes, ahead = 2048;  // bytes
  for (Index b = 0; b < count; b += 8, blocks += 8 * size) {
    const int some = static_cast<int>(std::min<Index>(8, count - b));
    alignas(64) float scales[16] = {};
    if constexpr (Format::begins_with_scales) {
      const __m256i at = _mm256_setr_epi32(0, size, 2 * size, 3 * size, 4 * size, 5 * size, 6 * size, 7 * size);
      const auto mask = static_cast<__mmask8>((1 << some) - 1);
      _mm512_store_ps(scales, _mm512_cvtph_ps(_mm256_mmask_i32gather_epi32(_mm256_setzero_si256(), mask, at, blocks, 1)));
    }
    // So that each is broadcast by a load: from a register, that would occupy the one port that also does the look-ups.
    __asm__("" : "+m"(scales));
    for (int k = 0; k < some; ++k) {
      const Index first = (b + k) * Format::numbers;
      for (int line = 0; line < size; line += 64) {
        _mm_prefetch(reinterpret_cast<const char*>(blocks + k * size + line + ahead), _MM_HINT_T0);
      }
      Format::each(blocks + k * size, _mm512_set1_ps(scales[2 * k]), _mm512_set1_ps(scales[2 * k + 1]),
                   [&](int i, Floats numbers, Floats next) { use(first + i, numbers, next); });
    }
  }
}

template <class Format, BlockFormat id>
void unpack(const Byte* blocks, Index n, float* to) {
  along<Format>(blocks, n / Format::numbers, [to](Index i, Floats a, Floats b) {
    _mm512_storeu_ps(to + i, a);
    _mm512_storeu_ps(to + i + 16, b);
  });
  const Index i = n / Format::numbers * Format::numbers;
  if (i < n) unpack_blocks(id, blocks + n / Format::numbers * Format::bytes, n - i, to + i);  // plain formats only
}

template <class Format, BlockFormat id, int n>
void multiply(const Byte* W, Index rows, Index cols, const float* x, float* y, Index stride) {
  const Index blocks = cols / Format::numbers, i = blocks * Format::numbers;
  for (Index r = 0; r < rows; ++r) {
    Floats first[n], second[n];
    for (int k = 0; k < n; ++k) first[k] = second[k] = _mm512_setzero_ps();
    along<Format>(W, blocks, [&](Index i, Floats a, Floats b) {
      for (int k = 0; k < n; ++k) {
        const float* from = x + k * cols + i;
        first[k] = _mm512_fmadd_ps(a, _mm512_loadu_ps(from), first[k]);
        second[k] = _mm512_fmadd_ps(b, _mm512_loadu_ps(from + 16), second[k]);
      }
    });
    W += blocks * Format::bytes;
    float rest[32] = {};
    if (i < cols) {  // plain formats only
      unpack_blocks(id, W, cols - i, rest);
      W += bytes_per_row(id, cols - i);
    }
    for (int k = 0; k < n; ++k) {
      float sum = _mm512_reduce_add_ps(_mm512_add_ps(first[k], second[k]));
      for (Index c = i; c < cols; ++c) sum += x[k * cols + c] * rest[c - i];
      y[k * stride + r] = sum;
    }
  }
}

template <class Format, BlockFormat id>
void multiply_few(const Byte* W, Index rows, Index cols, const float* x, Index n, float* y, Index stride) {
  static_assert(PackedMatrix::few == 4, "one line for each");
  if (n == 1) multiply<Format, id, 1>(W, rows, cols, x, y, stride);
  if (n == 2) multiply<Format, id, 2>(W, rows, cols, x, y, stride);
  if (n == 3) multiply<Format, id, 3>(W, rows, cols, x, y, stride);
  if (n == 4) multiply<Format, id, 4>(W, rows, cols, x, y, stride);
}

template <class Format, BlockFormat id>
constexpr FastBlocks loops() {
  return {unpack<Format, id>, multiply_few<Format, id>};
}

}  // namespace

FastBlocks fast_blocks(BlockFormat format) {
  switch (format) {
    case BlockFormat::f32: return loops<F32, BlockFormat::f32>();
    case BlockFormat::f16: return loops<F16, BlockFormat::f16>();
    case BlockFormat::bf16: return loops<Bf16, BlockFormat::bf16>();
    case BlockFormat::q4_0: return loops<Q4_0, BlockFormat::q4_0>();
    case BlockFormat::q4_1: return loops<Q4_1, BlockFormat::q4_1>();
    case BlockFormat::q5_0: return loops<Q5_0, BlockFormat::q5_0>();
    case BlockFormat::q5_1: return loops<Q5_1, BlockFormat::q5_1>();
    case BlockFormat::q8_0: return loops<Q8_0, BlockFormat::q8_0>();
    case BlockFormat::q4_K: return loops<Q4_K, BlockFormat::q4_K>();
    case BlockFormat::q6_K: return loops<Q6_K, BlockFormat::q6_K>();
  }
  return {};
}

}  // namespace graft::kernel
#else
namespace graft::kernel {
FastBlocks fast_blocks(BlockFormat) { return {}; }
}  // namespace graft::kernel
#endif
