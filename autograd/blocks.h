// The block formats of GGUF files as packed matrices. Layouts: ggml's block_q4_0 .. block_q6_K; each row is cut into blocks
// of 32 or 256 numbers, a block is its scales and its small integers.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "autograd/packed.h"

namespace graft {

/// The numbers are those of GGUF files.
enum class BlockFormat : std::uint32_t {
  f32 = 0,
  f16 = 1,
  q4_0 = 2,
  q4_1 = 3,
  q5_0 = 6,
  q5_1 = 7,
  q8_0 = 8,
  q4_K = 12,
  q6_K = 14,
  bf16 = 30
};
const char* name(BlockFormat format);         ///< "Q4_1"
Index numbers_per_block(BlockFormat format);  ///< 1, 32 or 256
std::size_t bytes_per_block(BlockFormat format);
/// Bytes of a row of `cols` numbers. Errors: ShapeError if cols is not a multiple of the block.
std::size_t bytes_per_row(BlockFormat format, Index cols);

/// W over `blocks`, which are read in place, at any alignment, and kept alive by `owner` (a mapped file, or a buffer).
/// Errors: ShapeError if a row is not a whole number of blocks; SizeError; ValueError for an unknown format.
Packed packed_blocks(BlockFormat format, Index rows, Index cols, const void* blocks, std::shared_ptr<const void> owner);
/// A copy of some of the `rows` rows in the blocks: its row i is their row order[i]. It owns its memory, which the ledger
/// counts as frozen. Errors: IndexError for a row that does not exist.
Packed packed_blocks_in_order(BlockFormat format, Index rows, Index cols, const void* blocks, const std::vector<Index>& order);

/// n numbers (a whole number of blocks) from blocks: the clear version, which the fast ones are tested against.
void unpack_blocks(BlockFormat format, const void* blocks, Index n, real* to);

}  // namespace graft
