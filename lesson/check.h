// What a page claims, said to the program: a number in the prose of a notebook stands in a check beside it.
//     lesson::check("the loss after 200 steps", losses.back(), 0.02, 0.01);      // ✓ the loss after 200 steps: 0.0231 (0.02 ± 0.01)
//     lesson::check("the base is what it was", same);
#pragma once
#include <string>

#include "autograd/errors.h"

namespace graft::lesson {

struct CheckFailed : Error {
  using Error::Error;
  ~CheckFailed() override;
};

/// Writes a line with a tick to std::cout if |value - expected| <= tolerance. Errors: CheckFailed otherwise, also for NaN.
void check(const std::string& what, double value, double expected, double tolerance = 0);
/// Errors: CheckFailed unless it holds.
void check(const std::string& what, bool holds);

}  // namespace graft::lesson
