// Weights in 4 bits (Dettmers et al. 2023, arXiv:2305.14314, section 3), bit for bit as bitsandbytes 0.50 stores them on a CPU:
// blocks of 64 numbers, row by row, each with its largest magnitude (absmax) and 16 codes in [-1, 1]. Double quantization
// stores the absmax themselves in 8 bits, 256 at a time: 4 + 8/64 + 32/(64·256) = 4.127 bits per weight. The mean absmax is
// correctly rounded here; PyTorch's sum there depends on the processor and the threads, so its last bit may differ.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "autograd/packed.h"

namespace graft {

struct FourBitOptions {
  enum class Codes { nf4, fp4 };  ///< quantiles of a normal distribution; 1 sign, 2 exponent, 1 fraction bits
  Codes codes = Codes::nf4;       ///< bitsandbytes' default is fp4, the paper's nf4
  Index block = 64;               ///< a power of two, 32 to 4096
  bool double_quantized = true;
};
constexpr Index absmax_block = 256;  ///< how many absmax values share one scale

const std::array<float, 16>& four_bit_codes(FourBitOptions::Codes codes);  ///< the value of each code
/// The 256 values of 8 bits for absmax: sign, a run of zeros as exponent, a linear fraction (Dettmers 2016, "8-bit
/// approximations for parallelism in deep learning"), ascending.
const std::array<float, 256>& dynamic_map();

/// A quantized matrix. Its bytes are counted as frozen weights.
class FourBitMatrix {
 public:
  /// Errors: ShapeError unless W is a matrix; ValueError for options out of range or a number that is not finite.
  FourBitMatrix(const Tensor& W, const FourBitOptions& options);
  Index rows() const { return rows_; }
  Index cols() const { return cols_; }
  const FourBitOptions& options() const { return options_; }
  std::size_t bytes() const;
  double bits_per_weight() const { return 8.0 * static_cast<double>(bytes()) / static_cast<double>(rows_ * cols_); }

  int code(Index i) const;          ///< of the i-th number, row by row
  float absmax(Index block) const;  ///< the value used: after double quantization
  Tensor dense() const;             ///< (rows, cols): code value · absmax

  // What bitsandbytes would store.
  std::vector<std::uint8_t> packed;   ///< two codes a byte, the first in the high half
  std::vector<float> scales;          ///< absmax of each block; empty if double quantized
  std::vector<std::uint8_t> scales8;  ///< codes of absmax - offset in the dynamic map
  std::vector<float> scales2;         ///< one for each 256 of them
  float offset = 0;                   ///< the mean absmax

 private:
  Index rows_, cols_;
  FourBitOptions options_;
  std::shared_ptr<const void> booked_;
};

/// Rows [first, first + count) as a weight. Several may share one matrix: GPT-2's c_attn is quantized whole, and its blocks run
/// over the borders of q, k and v. Errors: IndexError
Packed rows_of(std::shared_ptr<const FourBitMatrix> matrix, Index first, Index count);
Packed four_bits(const Tensor& W, const FourBitOptions& options = {});  ///< all rows of W, quantized

/// One block, number by number, for inspection.
struct FourBitStep {
  float value, scaled;  ///< w, and w/absmax in [-1, 1]
  int code;
  float restored, error;
};
std::vector<FourBitStep> explain(const Tensor& W, Index block, const FourBitOptions& options = {});

namespace clear {
/// Numbers [begin, begin + count), one at a time: the fast loops are tested against this.
void unpack(const FourBitMatrix& W, Index begin, Index count, real* to);
}  // namespace clear

}  // namespace graft
