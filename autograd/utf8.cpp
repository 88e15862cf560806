#include "autograd/utf8.h"

namespace graft {

std::size_t utf8::append_repaired(std::string& text, std::string_view bytes, bool last) {
  std::size_t at = 0, good = 0;  // bytes[good, at) is well-formed and not copied yet
  while (at < bytes.size()) {
    const Character c = front(bytes.substr(at));
    if (c.point == Character::none) {
      text.append(bytes, good, at - good);
      if (c.cut && !last) return at;
      text += "\xEF\xBF\xBD";
      good = at + c.length;
    }
    at += c.length;
  }
  text.append(bytes, good, at - good);
  return at;
}

}  // namespace graft
