// The block formats against the gguf package (fixtures/make_blocks.py), bit for bit; the fast ways of reading blocks against
// the clear one; alignment, order of rows, the ledger and errors.
#include "autograd/blocks.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "autograd/sizes.h"
#include "tests/autograd/blocks.h"
#include "tests/autograd/compare.h"
#include "tests/here.h"

namespace graft::table {
namespace {

std::vector<std::uint8_t> from_hex(const std::string& hex) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

struct Golden {
  BlockFormat format;
  std::string name, what;
  Index numbers;
  std::size_t bytes;
  std::vector<std::uint8_t> blocks;
  std::vector<float> expected;
};

std::vector<Golden> goldens() {
  std::ifstream file(here::fixtures() + "/blocks.json");
  std::vector<Golden> all;
  for (const auto& c : nlohmann::json::parse(file)) {
    Golden g{static_cast<BlockFormat>(c["id"].get<std::uint32_t>()),
             c["format"],
             c["what"],
             c["numbers"],
             c["bytes"],
             from_hex(c["blocks"]),
             {}};
    const std::vector<std::uint8_t> bits = from_hex(c["bits"]);
    g.expected.resize(bits.size() / sizeof(float));
    std::memcpy(g.expected.data(), bits.data(), bits.size());
    all.push_back(std::move(g));
  }
  return all;
}

/// The same bits; all that are no number count as one.
bool same(real ours, float expected) {
  if (std::isnan(expected)) return std::isnan(ours);
  return ours == static_cast<real>(expected) && std::signbit(ours) == std::signbit(expected);
}
int differences(const std::vector<real>& ours, const std::vector<float>& expected) {
  int count = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) count += !same(ours[i], expected[i]);
  return count;
}

TEST(Blocks, TheClearVersionIsTheReferenceBitForBit) {
  std::set<std::string> seen;
  for (const Golden& g : goldens()) {
    SCOPED_TRACE(g.name + ", " + g.what);
    EXPECT_EQ(name(g.format), g.name);
    EXPECT_EQ(numbers_per_block(g.format), g.numbers);
    EXPECT_EQ(bytes_per_block(g.format), g.bytes);
    const Index n = size_of(g.expected);
    ASSERT_EQ(bytes_per_row(g.format, n), g.blocks.size());
    std::vector<real> ours(g.expected.size());
    unpack_blocks(g.format, g.blocks.data(), n, ours.data());
    EXPECT_EQ(differences(ours, g.expected), 0);
    seen.insert(g.name);
  }
  EXPECT_EQ(seen.size(), block_formats().size());
}

TEST(Blocks, MatricesUnpackTheSameAtAnyAlignment) {
  for (const Golden& g : goldens()) {
    const Index n = size_of(g.expected);
    for (const std::size_t shift : {0, 1, 2, 3, 7}) {
      SCOPED_TRACE(text(g.name, ", ", g.what, ", shifted by ", shift));
      // Exactly as long as the blocks, on the heap: reading past their end is an error under AddressSanitizer.
      const auto memory =
          std::shared_ptr<std::uint8_t>(new std::uint8_t[g.blocks.size() + shift], std::default_delete<std::uint8_t[]>());
      std::memcpy(memory.get() + shift, g.blocks.data(), g.blocks.size());
      const Packed W = packed_blocks(g.format, 1, n, memory.get() + shift, memory);
      EXPECT_EQ(W->format(), g.name);
      EXPECT_EQ(W->bytes(), g.blocks.size());
      std::vector<real> ours(g.expected.size());
      W->unpack(0, 1, ours.data());
      EXPECT_EQ(differences(ours, g.expected), 0);
    }
  }
}

TEST(Blocks, AnyRowsOfAMatrix) {
  for (const BlockFormat format : block_formats()) {
    SCOPED_TRACE(name(format));
    const Index cols = some_cols(format), rows = 7;
    const Blocks blocks = random_blocks(format, rows, cols);
    const Packed W = blocks.matrix();
    const Tensor all = dense(*W);
    ASSERT_EQ(all.shape(), Shape({rows, cols}));
    std::vector<real> clear(static_cast<std::size_t>(rows * cols));
    unpack_blocks(format, blocks.bytes.data(), rows * cols, clear.data());
    EXPECT_EQ(all.values(), clear);
    for (Index first = 0; first < rows; ++first)
      for (Index count = 0; first + count <= rows; ++count) {
        std::vector<real> some(static_cast<std::size_t>(count * cols));
        W->unpack(first, count, some.data());
        EXPECT_EQ(some, std::vector<real>(clear.begin() + first * cols, clear.begin() + (first + count) * cols));
      }
  }
}

TEST(Blocks, RowsInAnotherOrder) {
  const std::size_t before = ledger()[Category::frozen];
  for (const BlockFormat format : block_formats()) {
    SCOPED_TRACE(name(format));
    const Index cols = some_cols(format);
    Packed W;
    const std::vector<Index> order{4, 0, 2, 2, 3};
    Tensor all;
    {
      const Blocks blocks = random_blocks(format, 5, cols);
      all = dense(*blocks.matrix());
      W = packed_blocks_in_order(format, 5, cols, blocks.bytes.data(), order);
    }  // W has a copy
    EXPECT_EQ(W->rows(), 5);
    EXPECT_EQ(ledger()[Category::frozen] - before, W->bytes());
    const Tensor ours = dense(*W);
    for (Index i = 0; i < 5; ++i)
      for (Index c = 0; c < cols; ++c) ASSERT_EQ(ours[i * cols + c], all[nth(order, i) * cols + c]);
  }
  EXPECT_EQ(ledger()[Category::frozen], before);
}

TEST(Blocks, TheOwnerIsKeptAndNothingElseIsBooked) {
  const std::size_t before = ledger().total_now;
  const auto owner = std::make_shared<std::vector<std::uint8_t>>(bytes_per_row(BlockFormat::q8_0, 64));
  Packed W = packed_blocks(BlockFormat::q8_0, 1, 64, owner->data(), owner);
  EXPECT_EQ(owner.use_count(), 2);
  EXPECT_EQ(ledger().total_now, before);
  W.reset();
  EXPECT_EQ(owner.use_count(), 1);
}

template <class E, class F>
std::string message(const F& f) {
  try {
    f();
  } catch (const E& e) { return e.what(); }
  return "no such error";
}

TEST(Blocks, Errors) {
  const std::vector<std::uint8_t> bytes(1000);
  const auto make = [&](BlockFormat format, Index rows, Index cols) {
    packed_blocks(format, rows, cols, bytes.data(), nullptr);
  };
  const auto q4 = BlockFormat::q4_0;
  EXPECT_NE(message<ShapeError>([&] { make(q4, 2, 33); }).find("33 numbers cannot be stored as Q4_0, whose blocks hold 32"),
            std::string::npos);
  EXPECT_NE(message<ShapeError>([&] { make(BlockFormat::q6_K, 1, 32); }).find("256"), std::string::npos);
  EXPECT_NE(message<ShapeError>([&] { bytes_per_row(q4, 31); }).find("31"), std::string::npos);
  EXPECT_THROW(bytes_per_row(q4, -32), SizeError);
  EXPECT_THROW(make(q4, -1, 32), SizeError);
  EXPECT_THROW(make(q4, 1, -32), SizeError);
  EXPECT_THROW(make(q4, Index(1) << 40, Index(1) << 40), SizeError);
  EXPECT_THROW(packed_blocks(q4, 1, 32, nullptr, nullptr), ValueError);
  EXPECT_NE(message<ValueError>([&] { make(static_cast<BlockFormat>(4), 1, 32); }).find("unknown block format 4"),
            std::string::npos);
  const auto order = [&](std::vector<Index> rows) { packed_blocks_in_order(q4, 2, 32, bytes.data(), rows); };
  EXPECT_NE(message<IndexError>([&] {
              order({0, 2});
            }).find("row 1 is to be row 2 of the blocks, but they have 2"),
            std::string::npos);
  EXPECT_THROW(order({-1}), IndexError);
}

TEST(Blocks, NoRowsAndNoColumns) {
  for (const BlockFormat format : block_formats()) {
    const Packed none = packed_blocks(format, 0, 256, nullptr, nullptr), thin = packed_blocks(format, 3, 0, nullptr, nullptr);
    EXPECT_EQ(dense(*none).shape(), Shape({0, 256}));
    EXPECT_EQ(thin->bytes(), 0u);
    EXPECT_EQ(linear(Tensor({9, 256}, 1), none).shape(), Shape({9, 0}));
    EXPECT_EQ(linear(Tensor({2, 0}, 1), thin).value().values(), std::vector<real>(6, 0));
    EXPECT_EQ(linear(Tensor({9, 0}, 1), thin).value().values(), std::vector<real>(27, 0));
  }
}

}  // namespace
}  // namespace graft::table
