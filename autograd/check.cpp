#include "autograd/check.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>

#include "autograd/text.h"

namespace graft::must_be {
namespace {

/// All of `s` as a number; nan if it is none.
double parsed(const std::string& s) {
  char* end = nullptr;
  const double x = s.empty() || std::isspace(static_cast<unsigned char>(s[0])) ? NAN : std::strtod(s.c_str(), &end);
  return std::isfinite(x) && *end == '\0' ? x : NAN;
}

}  // namespace

Check whole(long low, long high) {
  return [low, high](const std::string& s) -> std::string {
    const bool octal = s.size() > 1 && s[s[0] == '-'] == '0';  // some readers take 010 for 8
    const double x = s.find_first_not_of("-0123456789") == std::string::npos && !octal ? parsed(s) : NAN;
    if (x >= static_cast<double>(low) && x <= static_cast<double>(high)) return "";
    return text("must be a whole number from ", low, " to ", high, ", not \"", s, "\"");
  };
}

Check number(double low, double high) {
  return [low, high](const std::string& s) -> std::string {
    const double x = parsed(s);
    if (x >= low && x <= high) return "";
    return text("must be a number from ", low, " to ", high, ", not \"", s, "\"");
  };
}

Check above(double low) {
  return [low](const std::string& s) -> std::string {
    if (parsed(s) > low) return "";
    return text("must be a number greater than ", low, ", not \"", s, "\"");
  };
}

Check filled() {
  return [](const std::string& s) { return s.empty() ? "must not be empty" : std::string(); };
}

Check one_of(std::vector<std::string> all) {
  return [all = std::move(all)](const std::string& word) -> std::string {
    if (std::find(all.begin(), all.end(), word) != all.end()) return "";
    return text("must be one of ", joined(all), ", not \"", word, "\"");
  };
}

}  // namespace graft::must_be
