// Blocks with AVX-512: 32 numbers at a time become two registers of floats, which are stored (unpack) or multiplied by x.
// Four bits are looked up: the sixteen values d·q + m of a block are one register, and its nibbles select from it. Results of
// unpack are those of the clear version bit for bit (see the top of clear/blocks.cpp).
#include "autograd/cpu/blocks_fast.h"

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__F16C__) && !defined(GRAFT_DOUBLE)
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

/// One or two halves that follow each other.
float half(const Byte* at) { return _cvtsh_ss(load<std::uint16_t>(at)); }
struct Scales {
  Floats d, m;
};
Scales two_halves(const Byte* at) {
  const __m128 dm = _mm_cvtph_ps(_mm_cvtsi32_si128(load<int>(at)));
  return {_mm512_broadcastss_ps(dm), _mm512_broadcastss_ps(_mm_movehdup_ps(dm))};
}

/// first, first + 1, .. first + 15
Floats count_from(float first) {
  return _mm512_add_ps(_mm512_set1_ps(first), _mm512_set_ps(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
}
/// table[q & 15], and table[q >> 4 & 15]
Floats low(Ints q, Floats table) { return _mm512_permutexvar_ps(q, table); }
Floats high(Ints q, Floats table) { return _mm512_permutexvar_ps(_mm512_srli_epi32(q, 4), table); }

// --- formats: each() calls use(i, numbers i to i + 15, numbers i + 16 to i + 31) ------------------------------------------

struct F32 {
  static constexpr Index numbers = 32, bytes = 128;
  template <class Use>
  static void each(const Byte* b, const Use& use) {
    use(0, _mm512_loadu_ps(b), _mm512_loadu_ps(b + 64));
  }
};

struct F16 {
  static constexpr Index numbers = 32, bytes = 64;
  template <class Use>
  static void each(const Byte* b, const Use& use) {
    use(0, _mm512_cvtph_ps(load32(b)), _mm512_cvtph_ps(load32(b + 32)));
  }
};

struct Bf16 {
  static constexpr Index numbers = 32, bytes = 64;
  template <class Use>
  static void each(const Byte* b, const Use& use) {
    const auto floats = [](__m256i x) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16)); };
    use(0, floats(load32(b)), floats(load32(b + 32)));
  }
};

struct Q4_0 {
  static constexpr Index numbers = 32, bytes = 18;
  template <class Use>
  static void each(const Byte* b, const Use& use) {
    const Floats table = _mm512_mul_ps(_mm512_set1_ps(half(b)), count_from(-8));
    const Ints q = unsigned_bytes(b + 2);
    use(0, low(q, table), high(q, table));
  }
};

struct Q4_1 {
  static constexpr Index numbers = 32, bytes = 20;
  template <class Use>
  static void each(const Byte* b, const Use& use) {
    const Scales s = two_halves(b);
    const Floats table = _mm512_fmadd_ps(s.d, count_from(0), s.m);
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
  template <class Use>
  static void each(const Byte* b, const Use& use) {
    const Floats d = _mm512_set1_ps(half(b));
    five_bits(b + 2, b + 6, _mm512_mul_ps(d, count_from(-16)), _mm512_mul_ps(d, count_from(0)), use);
  }
};

struct Q5_1 {
  static constexpr Index numbers = 32, bytes = 24;
  template <class Use>
  static void each(const Byte* b, const Use& use) {
    const Scales s = two_halves(b);
    five_bits(b + 4, b + 8, _mm512_fmadd_ps(s.d, count_from(0), s.m), _mm512_fmadd_ps(s.d, count_from(16), s.m), use);
  }
};

struct Q8_0 {
  static constexpr Index numbers = 32, bytes = 34;
  template <class Use>
  static void each(const Byte* b, const Use& use) {
    const Floats d = _mm512_set1_ps(half(b));
    const auto floats = [d](__m128i q) { return _mm512_mul_ps(d, _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(q))); };
    use(0, floats(load16(b + 2)), floats(load16(b + 18)));
  }
};

struct Q4_K {
  static constexpr Index numbers = 256, bytes = 144;
  template <class Use>
  static void each(const Byte* b, const Use& use) {
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
  template <class Use>
  static void each(const Byte* b, const Use& use) {
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

template <class Format, BlockFormat id>
void unpack(const Byte* blocks, Index n, float* to) {
  Index i = 0;
  for (; i + Format::numbers <= n; i += Format::numbers, blocks += Format::bytes) {
    Format::each(blocks, [&](int at, Floats a, Floats b) {
      _mm512_storeu_ps(to + i + at, a);
      _mm512_storeu_ps(to + i + at + 16, b);
    });
  }
  if (i < n) unpack_blocks(id, blocks, n - i, to + i);  // plain formats only
}

template <class Format, BlockFormat id, int n>
void multiply(const Byte* W, Index rows, Index cols, const float* x, float* y, Index stride) {
  constexpr int ahead = 1024;  // bytes; the next pages are not fetched by the processor of itself
  for (Index r = 0; r < rows; ++r) {
    Floats first[n], second[n];
    for (int k = 0; k < n; ++k) first[k] = second[k] = _mm512_setzero_ps();
    Index i = 0;
    for (; i + Format::numbers <= cols; i += Format::numbers, W += Format::bytes) {
      for (Index line = 0; line < Format::bytes; line += 64)
        _mm_prefetch(reinterpret_cast<const char*>(W + ahead + line), _MM_HINT_T0);
      Format::each(W, [&](int at, Floats a, Floats b) {
        for (int k = 0; k < n; ++k) {
          const float* from = x + k * cols + i + at;
          first[k] = _mm512_fmadd_ps(a, _mm512_loadu_ps(from), first[k]);
          second[k] = _mm512_fmadd_ps(b, _mm512_loadu_ps(from + 16), second[k]);
        }
      });
    }
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
