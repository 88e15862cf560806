// How values look that have no picture: xcpp/xmime.hpp declares these.
#include <cxxabi.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <sstream>
#include <string>
#include <typeinfo>

namespace xcpp::kernel {
namespace {

/// The fewest digits that give the same number back: 0.5, 0.1, 1e-07.
template <class Number, class Back>
std::string shortest(Number x, Back back) {
  char digits[64];
  for (int n = std::numeric_limits<Number>::digits10; n <= std::numeric_limits<Number>::max_digits10; ++n) {
    std::snprintf(digits, sizeof digits, "%.*Lg", n, static_cast<long double>(x));
    if (back(digits) == x || std::isnan(x)) break;
  }
  return digits;
}

void quoted(std::string& out, const std::string& text, char quote) {
  out += quote;
  for (const char c : text) {
    if (c == quote || c == '\\') out += '\\', out += c;
    else if (c == '\n') out += "\\n";
    else if (c == '\t') out += "\\t";
    else if (c == '\r') out += "\\r";
    else if (static_cast<unsigned char>(c) < 32 || c == 127) {
      char code[8];
      std::snprintf(code, sizeof code, "\\x%02x", static_cast<unsigned char>(c));
      out += code;
    } else {
      out += c;
    }
  }
  out += quote;
}

}  // namespace

void write(std::string& out, bool x) { out += x ? "true" : "false"; }
void write(std::string& out, char x) { quoted(out, std::string(1, x), '\''); }
void write(std::string& out, long long x) { out += std::to_string(x); }
void write(std::string& out, unsigned long long x) { out += std::to_string(x); }
void write(std::string& out, float x) {
  out += shortest(x, [](const char* s) { return std::strtof(s, nullptr); });
}
void write(std::string& out, double x) {
  out += shortest(x, [](const char* s) { return std::strtod(s, nullptr); });
}
void write(std::string& out, long double x) {
  out += shortest(x, [](const char* s) { return std::strtold(s, nullptr); });
}
void write(std::string& out, const std::string& x) { quoted(out, x, '"'); }
void write(std::string& out, const char* x) {
  if (x == nullptr) out += "nullptr";
  else quoted(out, x, '"');
}
void write(std::string& out, const std::type_info& type) {
  char* const name = abi::__cxa_demangle(type.name(), nullptr, nullptr, nullptr);
  out += "(a " + std::string(name ? name : type.name()) + ")";
  std::free(name);
}
void write_pointer(std::string& out, const void* x) {
  std::ostringstream text;
  text << x;
  out += x == nullptr ? "nullptr" : text.str();
}
void write_streamed(std::string& out, void (*print)(std::ostream&, const void*), const void* value) {
  std::ostringstream text;
  text << std::boolalpha;
  print(text, value);
  out += text.str();
}

}  // namespace xcpp::kernel
