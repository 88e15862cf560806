#include "show/inside/words.h"

#include <algorithm>

#include "autograd/sizes.h"
#include "autograd/utf8.h"

namespace graft::show {
namespace {

bool between(char32_t point, char32_t first, char32_t last) { return first <= point && point <= last; }

bool wide(char32_t c) {
  return between(c, 0x1100, 0x115F) || between(c, 0x2E80, 0x303E) || between(c, 0x3041, 0xA4CF) || between(c, 0xAC00, 0xD7A3) ||
         between(c, 0xF900, 0xFAFF) || between(c, 0xFE30, 0xFE6F) || between(c, 0xFF00, 0xFF60) || between(c, 0xFFE0, 0xFFE6) ||
         between(c, 0x1F300, 0x1FAFF) || between(c, 0x20000, 0x3FFFD);
}
bool combining(char32_t c) {
  return between(c, 0x300, 0x36F) || between(c, 0x200B, 0x200F) || between(c, 0x20D0, 0x20FF) || between(c, 0xFE00, 0xFE0F);
}
std::size_t columns(char32_t point) { return wide(point) ? 2 : combining(point) ? 0 : 1; }

template <class Use>  // use(the character, its bytes)
void each_character(std::string_view words, const Use& use) {
  while (!words.empty()) {
    const utf8::Character c = utf8::front(words);
    use(c.point, words.substr(0, c.length));
    words.remove_prefix(c.length);
  }
}

}  // namespace

std::string plain(std::string_view words) {
  std::string out;
  each_character(words, [&](char32_t c, std::string_view bytes) {
    const bool space = c == '\n' || c == '\t' || c == '\r' || c == 0x2028 || c == 0x2029;
    const bool control = c < 0x20 || between(c, 0x7F, 0x9F) || between(c, 0x202A, 0x202E) || between(c, 0x2066, 0x2069);
    const bool none = c == utf8::Character::none || (c & 0xFFFE) == 0xFFFE;
    if (space) out += ' ';
    else if (control || none) out += "\uFFFD";
    else out += bytes;
  });
  return out;
}

std::string escaped(std::string_view words) {
  std::string out;
  for (const char c : plain(words)) switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  return out;
}

std::size_t columns(std::string_view words) {
  std::size_t sum = 0;
  each_character(words, [&](char32_t c, std::string_view) { sum += columns(c); });
  return sum;
}

std::string shortened(std::string_view words, std::size_t most) {
  if (columns(words) <= most) return std::string(words);
  std::string out;
  std::size_t used = 1;  // the "…"
  bool full = false;
  each_character(words, [&](char32_t c, std::string_view bytes) {
    full = full || used + columns(c) > most;
    if (!full) out += bytes, used += columns(c);
  });
  return out + "…";
}

std::string left(std::string words, std::size_t width) {
  words.append(width - std::min(width, columns(words)), ' ');
  return words;
}
std::string right(std::string words, std::size_t width) {
  words.insert(0, width - std::min(width, columns(words)), ' ');
  return words;
}

std::string aligned(const std::vector<std::vector<std::string>>& rows, const std::vector<bool>& to_the_right) {
  std::vector<std::size_t> width(to_the_right.size());
  for (const auto& row : rows)
    for (std::size_t c = 0; c < row.size(); ++c) width[c] = std::max(width[c], columns(row[c]));
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c) line += (c ? "  " : "") + (to_the_right[c] ? right : left)(row[c], width[c]);
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace graft::show
