// Matrices of GGUF blocks: where the rows are, and which loops read them.
#include "autograd/blocks.h"

#include <cstring>

#include "autograd/cpu/blocks_fast.h"
#include "autograd/ledger.h"
#include "autograd/sizes.h"

namespace graft {
namespace {

using Byte = std::uint8_t;

class Blocks : public PackedMatrix {
 public:
  Blocks(BlockFormat format, Index rows, Index cols, const void* blocks, std::shared_ptr<const void> owner)
      : PackedMatrix(rows, cols),
        format_(format),
        fast_(kernel::fast_blocks(format)),
        row_bytes_(bytes_per_row(format, cols)),
        blocks_(static_cast<const Byte*>(blocks)),
        owner_(std::move(owner)) {
    expect<ValueError>(blocks != nullptr || bytes() == 0, "packed_blocks: no blocks given for ", rows, " rows of ", cols, ' ',
                       name(format), " numbers");
  }

  std::string format() const override { return name(format_); }
  std::size_t bytes() const override { return static_cast<std::size_t>(rows()) * row_bytes_; }

  void unpack(Index first, Index count, real* to) const override {
    if (fast_.unpack) fast_.unpack(row(first), count * cols(), to);
    else unpack_blocks(format_, row(first), count * cols(), to);
  }
  void multiply_few(const real* x, Index n, Index first, Index count, real* y, Index stride) const override {
    if (fast_.multiply_few) fast_.multiply_few(row(first), count, cols(), x, n, y + first, stride);
    else PackedMatrix::multiply_few(x, n, first, count, y, stride);
  }

 private:
  const Byte* row(Index r) const { return blocks_ + static_cast<std::size_t>(r) * row_bytes_; }

  BlockFormat format_;
  kernel::FastBlocks fast_;
  std::size_t row_bytes_;
  const Byte* blocks_;
  std::shared_ptr<const void> owner_;
};

/// Bytes that it owns, counted as frozen weights.
struct Buffer {
  explicit Buffer(std::size_t size) : bytes(new Byte[size]), charged(Category::frozen, size) {}
  std::unique_ptr<Byte[]> bytes;
  Registered charged;
};

}  // namespace

Packed packed_blocks(BlockFormat format, Index rows, Index cols, const void* blocks, std::shared_ptr<const void> owner) {
  return std::make_shared<Blocks>(format, rows, cols, blocks, std::move(owner));
}

Packed packed_blocks_in_order(BlockFormat format, Index rows, Index cols, const void* blocks, const std::vector<Index>& order) {
  const Blocks source(format, rows, cols, blocks, nullptr);
  const Index count = size_of(order);
  for (Index i = 0; i < count; ++i) {
    const Index r = nth(order, i);
    expect<IndexError>(0 <= r && r < rows, "packed_blocks_in_order: row ", i, " is to be row ", r,
                       " of the blocks, but they have ", rows, " rows");
  }
  Shape{count, cols};  // for its checks, before memory is allocated
  const std::size_t size = bytes_per_row(format, cols);
  const auto buffer = std::make_shared<Buffer>(order.size() * size);
  for (std::size_t i = 0; i < order.size(); ++i) {
    std::memcpy(buffer->bytes.get() + i * size, static_cast<const Byte*>(blocks) + static_cast<std::size_t>(order[i]) * size,
                size);
  }
  return packed_blocks(format, count, cols, buffer->bytes.get(), buffer);
}

}  // namespace graft
