#include "cli/printable.h"

#include <cstdio>
#include <iostream>

namespace graft::cli {

std::string printable(const std::string& words) {
  std::string shown;
  const auto code = [&](std::size_t i) { return i < words.size() ? static_cast<unsigned char>(words[i]) : 0; };
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool wide = code(i) == 0xc2 && code(i + 1) >= 0x80 && code(i + 1) < 0xa0;
    if (wide) ++i;
    char escaped[8];
    std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned>(code(i)));
    if (wide || code(i) < 0x20 || code(i) == 0x7f) shown += escaped;
    else shown += words[i];
  }
  return shown;
}

void tell(const std::string& note) { std::cerr << "graft: " << printable(note) << std::endl; }

}  // namespace graft::cli
