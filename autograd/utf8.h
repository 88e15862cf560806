// UTF-8 as in table 3-7 of the Unicode standard: no overlong forms, no surrogates, nothing above U+10FFFF. For all folders.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace graft::utf8 {

/// The character at the front of a text. If it is ill-formed, point is `none` and length that of the maximal ill-formed part,
/// the one that becomes one U+FFFD: the bytes of a truncated character, or a single byte.
struct Character {
  static constexpr char32_t none = 0xFFFFFFFF;
  char32_t point;
  std::size_t length;
  bool cut;  ///< ill-formed only because the text ends here
};

inline Character front(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return {lead, 1, false};
  const std::size_t length = lead >= 0xC2 && lead < 0xE0   ? 2
                             : lead >= 0xE0 && lead < 0xF0 ? 3
                             : lead >= 0xF0 && lead < 0xF5 ? 4
                                                           : 0;
  if (length == 0) return {Character::none, 1, false};
  char32_t point = lead & (0x7Fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if (i == text.size()) return {Character::none, i, true};
    unsigned low = 0x80, high = 0xBF;
    if (i == 1) {  // the second byte rules out overlong forms, surrogates and values beyond Unicode
      if (lead == 0xE0) low = 0xA0;
      if (lead == 0xED) high = 0x9F;
      if (lead == 0xF0) low = 0x90;
      if (lead == 0xF4) high = 0x8F;
    }
    if (byte(i) < low || byte(i) > high) return {Character::none, i, false};
    point = point << 6 | (byte(i) & 0x3F);
  }
  return {point, length, false};
}

inline void append(std::string& text, char32_t point) {
  const auto put = [&](char32_t byte) { text += static_cast<char>(byte); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xC0 | point >> 6), put(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    put(0xE0 | point >> 12), put(0x80 | (point >> 6 & 0x3F)), put(0x80 | (point & 0x3F));
  } else {
    put(0xF0 | point >> 18), put(0x80 | (point >> 12 & 0x3F)), put(0x80 | (point >> 6 & 0x3F)), put(0x80 | (point & 0x3F));
  }
}

/// Appends `bytes` to `text` with one U+FFFD for each maximal ill-formed part. Unless `last`, a character that is cut off at
/// the end is left out. Returns how many bytes were used.
std::size_t append_repaired(std::string& text, std::string_view bytes, bool last = true);

}  // namespace graft::utf8
