// What the pre-tokenizers want to know of a character: is it a letter (\p{L}), a number (\p{N}) or white space (\s)?
#pragma once
#include <cstdint>
#include <vector>

namespace graft::unicode {

enum Kind : std::uint8_t { other, letter, number, space, later_number };

struct Range {
  char32_t first, last;
};
using Ranges = std::vector<Range>;
extern const Ranges letters, numbers, spaces, later_numbers;  // unicode_ranges.cpp

Kind kind(char32_t point);  ///< point < 0x110000

}  // namespace graft::unicode
