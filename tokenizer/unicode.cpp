// Two tables built once from the ranges: which block of 256 a code point belongs to, and the kinds within that block. Most
// blocks are equal (all letters, nothing assigned), so few are stored.
#include "tokenizer/inside/unicode.h"

#include <algorithm>
#include <array>
#include <map>


namespace graft {

namespace unicode {

namespace {

using Block = std::array<Kind, 256>;

struct Tables {
  std::array<std::uint16_t, 0x1100> block{};
  std::vector<Block> blocks;

  Tables() {
    std::vector<Kind> kinds(0x110000, other);
    const auto mark = [&](const Ranges& ranges, Kind kind) {
      for (const Range& range : ranges)
        for (char32_t point = range.first; point <= range.last; ++point) kinds[point] = kind;
    };
    mark(letters, letter), mark(numbers, number), mark(spaces, space), mark(later_numbers, later_number);
    std::map<Block, std::uint16_t> known;
    for (std::size_t b = 0; b < block.size(); ++b) {
      Block kind;
      for (std::size_t i = 0; i < 256; ++i) kind[i] = kinds[256 * b + i];
      const auto found = known.emplace(kind, static_cast<std::uint16_t>(blocks.size()));
      if (found.second) blocks.push_back(kind);
      block[b] = found.first->second;
    }
  }
};

}  // namespace

Kind kind(char32_t point) {
  static const Tables tables;
  return tables.blocks[tables.block[point >> 8]][point & 0xFF];
}

bool punctuation(char32_t point) {
  const auto after =
      std::upper_bound(marks.begin(), marks.end(), point, [](char32_t p, const Range& range) { return p < range.first; });
  return after != marks.begin() && point <= std::prev(after)->last;
}

}  // namespace unicode

}  // namespace graft
