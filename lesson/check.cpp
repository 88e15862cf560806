#include "lesson/check.h"

#include <cmath>
#include <iostream>

namespace graft::lesson {

CheckFailed::~CheckFailed() = default;

namespace {
constexpr const char* again = "; was every cell above run, once and in order?";

/// In one piece, so that a notebook shows one line.
void say(const std::string& line) { std::cout << "✓ " + line + "\n" << std::flush; }
}  // namespace

void check(const std::string& what, double value, double expected, double tolerance) {
  const std::string wanted = tolerance > 0 ? text(expected, " ± ", tolerance) : text(expected);
  if (!(std::abs(value - expected) <= tolerance))
    throw CheckFailed(text("check: ", what, " is ", value, ", but the page says ", wanted, again));
  say(text(what, ": ", value, tolerance > 0 ? " (" + wanted + ")" : ""));
}

void check(const std::string& what, bool holds) {
  if (!holds) throw CheckFailed(text("check: the page says \"", what, "\", but it does not hold", again));
  say(what);
}

}  // namespace graft::lesson
