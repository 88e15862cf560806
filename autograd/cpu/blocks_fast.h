// Blocks read sixteen numbers at a time, for unpacking and for products of a few rows. The clear version, and the meaning of
// every byte, is in clear/blocks.cpp.
#pragma once
#include "autograd/blocks.h"

namespace graft::kernel {

/// Loops for one format; null where nothing faster exists for this processor or this `real`.
struct FastBlocks {
  /// n numbers, a whole number of blocks.
  void (*unpack)(const std::uint8_t* blocks, Index n, real* to) = nullptr;
  /// y[i * stride + r] = <x_i, W_r> for n <= PackedMatrix::few rows of x and `rows` rows of W.
  void (*multiply_few)(const std::uint8_t* W, Index rows, Index cols, const real* x, Index n, real* y, Index stride) = nullptr;
};
FastBlocks fast_blocks(BlockFormat format);

}  // namespace graft::kernel
