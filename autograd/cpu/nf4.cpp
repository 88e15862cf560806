// 4-bit weights in products: a block's sixteen values are scaled once and looked up, sixteen numbers at a time where the
// processor can.
#include "autograd/nf4.h"

#include <algorithm>
#ifdef __AVX512F__
#include <immintrin.h>
#endif

namespace graft {
namespace {

class FourBitRows : public PackedMatrix {
 public:
  FourBitRows(std::shared_ptr<const FourBitMatrix> matrix, Index first, Index count)
      : PackedMatrix(count, matrix->cols()),
        matrix_(std::move(matrix)),
        first_(first),
        values_(four_bit_codes(matrix_->options().codes)) {}

  std::string format() const override {
    const FourBitOptions& o = matrix_->options();
    return std::string(o.codes == FourBitOptions::Codes::nf4 ? "NF4" : "FP4") + (o.double_quantized ? "+DQ" : "");
  }
  std::size_t bytes() const override {  // its share of a matrix that several may share
    return matrix_->bytes() * static_cast<std::size_t>(rows()) / static_cast<std::size_t>(matrix_->rows());
  }

  void unpack(Index first, Index count, real* to) const override {
    const Index block = matrix_->options().block, end = (first_ + first + count) * cols();
    for (Index i = (first_ + first) * cols(); i < end;) {
      const Index stop = std::min(end, (i / block + 1) * block);
      unpack_in_block(i, stop, matrix_->absmax(i / block), to);
      to += stop - i;
      i = stop;
    }
  }

#if defined(__AVX512F__) && !defined(GRAFT_DOUBLE)
  void multiply_few(const real* x, Index n, Index first, Index count, real* y, Index stride) const override {
    const Index block = matrix_->options().block;
    if (cols() % block != 0) return PackedMatrix::multiply_few(x, n, first, count, y, stride);
    const __m512 table = _mm512_loadu_ps(values_.data());
    const Index blocks = cols() / block;
    for (Index r = first; r < first + count; ++r) {
      __m512 sums[few];
      for (Index i = 0; i < n; ++i) sums[i] = _mm512_setzero_ps();
      const Index begin = (first_ + r) * cols();
      for (Index b = 0; b < blocks; ++b) {
        const __m512 scale = _mm512_set1_ps(matrix_->absmax(begin / block + b));
        for (Index at = 0; at < block; at += 16) {
          const Index k = b * block + at;
          const __m512 w = _mm512_mul_ps(_mm512_permutexvar_ps(codes(begin + k), table), scale);
          for (Index i = 0; i < n; ++i) sums[i] = _mm512_fmadd_ps(w, _mm512_loadu_ps(x + i * cols() + k), sums[i]);
        }
      }
      for (Index i = 0; i < n; ++i) y[i * stride + r] = _mm512_reduce_add_ps(sums[i]);
    }
  }
#endif

 private:
  void unpack_in_block(Index i, Index stop, float scale, real* to) const {
    const std::uint8_t* bytes = matrix_->packed.data();
    const auto one = [&](Index at) {
      const std::uint8_t byte = bytes[at / 2];
      return static_cast<real>(values_[at % 2 ? byte & 15U : byte >> 4U] * scale);
    };
    if (i % 2 && i < stop) *to++ = one(i++);
#if defined(__AVX512F__) && !defined(GRAFT_DOUBLE)
    const __m512 table = _mm512_mul_ps(_mm512_loadu_ps(values_.data()), _mm512_set1_ps(scale));
    for (; i + 16 <= stop; i += 16, to += 16) _mm512_storeu_ps(to, _mm512_permutexvar_ps(codes(i), table));
#else
    for (; i + 2 <= stop; i += 2, to += 2) {
      const std::uint8_t byte = bytes[i / 2];
      to[0] = static_cast<real>(values_[byte >> 4U] * scale);
      to[1] = static_cast<real>(values_[byte & 15U] * scale);
    }
#endif
    while (i < stop) *to++ = one(i++);
  }

#ifdef __AVX512F__
  /// The sixteen codes from the even index i on: eight bytes, each with its high half first.
  __m512i codes(Index i) const {
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(matrix_->packed.data() + i / 2));
    const __m128i low = _mm_and_si128(bytes, _mm_set1_epi8(15));
    const __m128i high = _mm_and_si128(_mm_srli_epi16(bytes, 4), _mm_set1_epi8(15));
    return _mm512_cvtepu8_epi32(_mm_unpacklo_epi8(high, low));
  }
#endif

  std::shared_ptr<const FourBitMatrix> matrix_;
  Index first_;
  std::array<float, 16> values_;
};

}  // namespace

Packed rows_of(std::shared_ptr<const FourBitMatrix> matrix, Index first, Index count) {
  expect<IndexError>(matrix && first >= 0 && count > 0 && first + count <= matrix->rows(), "rows_of: rows ", first, " to ",
                     first + count, " of a matrix of ", matrix ? matrix->rows() : 0);
  return std::make_shared<FourBitRows>(std::move(matrix), first, count);
}

Packed four_bits(const Tensor& W, const FourBitOptions& options) {
  auto matrix = std::make_shared<const FourBitMatrix>(W, options);
  const Index rows = matrix->rows();
  return rows_of(std::move(matrix), 0, rows);
}

}  // namespace graft
