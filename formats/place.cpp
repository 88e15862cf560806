// Names from files, made safe to print.
#include "formats/inside/place.h"

namespace graft::formats::inside {

std::ostream& operator<<(std::ostream& out, const Quoted& quoted) {
  constexpr std::size_t most = 200;
  const char* digits = "0123456789abcdef";
  out << '"';
  for (std::size_t i = 0; i < quoted.text.size() && i < most; ++i) {
    const auto byte = static_cast<unsigned char>(quoted.text[i]);
    if (byte == '"' || byte == '\\') out << '\\' << quoted.text[i];
    else if (byte < 0x20 || byte > 0x7e) out << "\\x" << digits[byte >> 4] << digits[byte & 15];
    else out << quoted.text[i];
  }
  out << '"';
  if (quoted.text.size() > most) out << "... (" << quoted.text.size() << " bytes)";
  return out;
}

}  // namespace graft::formats::inside
