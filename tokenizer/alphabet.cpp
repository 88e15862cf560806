// The byte alphabet in both directions; see inside/alphabet.h.
#include "tokenizer/inside/alphabet.h"

#include "autograd/utf8.h"

namespace graft::alphabet {

namespace {

bool visible(unsigned byte) { return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174; }

struct Maps {
  std::array<char32_t, 256> character{};
  std::array<int, 0x144> byte{};  // 0x100 and the 68 invisible ones
  std::array<std::string, 256> spelled;
  Maps() {
    byte.fill(-1);
    char32_t next = 0x100;
    for (unsigned b = 0; b < 256; ++b) {
      character[b] = visible(b) ? b : next++;
      byte[character[b]] = static_cast<int>(b);
      utf8::append(spelled[b], character[b]);
    }
  }
};
const Maps& maps() {
  static const Maps made;
  return made;
}

}  // namespace

char32_t character(unsigned char byte) { return maps().character[byte]; }
int byte(char32_t character) { return character < maps().byte.size() ? maps().byte[character] : -1; }
const std::array<std::string, 256>& spelled() { return maps().spelled; }

std::string spell(std::string_view bytes) {
  std::string out;
  for (const char b : bytes) out += spelled()[static_cast<unsigned char>(b)];
  return out;
}

std::string bytes(std::string_view token) {
  std::string out;
  for (std::string_view rest = token; !rest.empty();) {
    const utf8::Character c = utf8::front(rest);
    const int b = byte(c.point);
    if (b < 0) return std::string(token);
    out += static_cast<char>(b);
    rest.remove_prefix(c.length);
  }
  return out;
}

}  // namespace graft::alphabet
