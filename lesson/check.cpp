#include "lesson/check.h"

#include <cmath>
#include <iostream>

namespace graft::lesson {

CheckFailed::~CheckFailed() = default;

void check(const std::string& what, double value, double expected, double tolerance) {
  const std::string wanted = tolerance > 0 ? text(expected, " ± ", tolerance) : text(expected);
  if (!(std::abs(value - expected) <= tolerance))
    throw CheckFailed(text("check: ", what, " is ", value, ", but the page says ", wanted));
  std::cout << "✓ " << what << ": " << value << (tolerance > 0 ? " (" + wanted + ")" : "") << std::endl;
}

void check(const std::string& what, bool holds) {
  if (!holds) throw CheckFailed(text("check: the page says \"", what, "\", but it does not hold"));
  std::cout << "✓ " << what << std::endl;
}

}  // namespace graft::lesson
