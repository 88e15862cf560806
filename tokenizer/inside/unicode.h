// What the pre-tokenizers need to know about a character: is it a letter (\p{L}), a number (\p{N}), white space (\s) or
// punctuation (\p{P})?
#pragma once
#include <cstdint>
#include <vector>

namespace graft::unicode {

enum Kind : std::uint8_t { other, letter, number, space, later_number };

struct Range {
  char32_t first, last;
};
using Ranges = std::vector<Range>;
extern const Ranges letters, numbers, spaces, later_numbers, marks;  // unicode_ranges.cpp

Kind kind(char32_t point);         ///< point < 0x110000
bool punctuation(char32_t point);  ///< \p{P}, by bisection; false for values beyond Unicode

}  // namespace graft::unicode
