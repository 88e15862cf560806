// Random blocks of every GGUF format, with scales of ordinary size. Used by the tests of blocks and of packed products.
#pragma once
#include <cstring>
#include <vector>

#include "autograd/blocks.h"
#include "autograd/rng.h"

namespace graft::table {

inline const std::vector<BlockFormat>& block_formats() {
  static const std::vector<BlockFormat> all{BlockFormat::f32,  BlockFormat::f16,  BlockFormat::bf16, BlockFormat::q4_0,
                                            BlockFormat::q4_1, BlockFormat::q5_0, BlockFormat::q5_1, BlockFormat::q8_0,
                                            BlockFormat::q4_K, BlockFormat::q6_K};
  return all;
}

/// An awkward width: three blocks, or a prime.
inline Index some_cols(BlockFormat format) {
  const Index numbers = numbers_per_block(format);
  return numbers == 1 ? 53 : 3 * numbers;
}

struct Blocks {
  BlockFormat format;
  Index rows, cols;
  std::vector<std::uint8_t> bytes;

  Packed matrix() const { return packed_blocks(format, rows, cols, bytes.data(), nullptr); }  // keep *this alive
};

/// Where a block has half-precision numbers; in Q6_K behind all else.
inline std::vector<std::size_t> scales_at(BlockFormat format) {
  switch (format) {
    case BlockFormat::q4_0:
    case BlockFormat::q5_0:
    case BlockFormat::q8_0: return {0};
    case BlockFormat::q4_1:
    case BlockFormat::q5_1:
    case BlockFormat::q4_K: return {0, 2};
    case BlockFormat::q6_K: return {208};
    default: return {};
  }
}

/// Random bytes, but for the scales (and plain numbers), whose exponents are chosen: none is huge, infinite or no number.
inline Blocks random_blocks(BlockFormat format, Index rows, Index cols, std::uint64_t seed = 1) {
  Blocks blocks{format, rows, cols, std::vector<std::uint8_t>(static_cast<std::size_t>(rows) * bytes_per_row(format, cols))};
  Rng rng(seed);
  for (std::uint8_t& byte : blocks.bytes) byte = static_cast<std::uint8_t>(rng.below(256));
  const std::size_t size = bytes_per_block(format);
  const auto put = [](std::uint8_t* at, int exponent, int sign) {  // the high byte of a half, bfloat16 or float
    at[0] = static_cast<std::uint8_t>((at[0] & 3) | exponent << 2 | sign << 7);
  };
  for (std::size_t at = 0; at < blocks.bytes.size(); at += size) {
    std::uint8_t* block = blocks.bytes.data() + at;
    const int sign = static_cast<int>(rng.below(2));
    if (format == BlockFormat::f16) put(block + 1, 10 + static_cast<int>(rng.below(6)), sign);
    else if (format == BlockFormat::bf16) block[1] = static_cast<std::uint8_t>(0x3e + 0x80 * sign);
    else if (format == BlockFormat::f32) block[3] = static_cast<std::uint8_t>(0x3e + 0x80 * sign);
    for (const std::size_t scale : scales_at(format))
      put(block + scale + 1, 8 + static_cast<int>(rng.below(4)), scale ? sign : 0);
  }
  return blocks;
}

}  // namespace graft::table
