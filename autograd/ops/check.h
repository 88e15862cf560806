// Checks that ops share. Not part of the public interface.
#pragma once
#include "autograd/variable.h"

namespace graft {

/// Errors: ValueError naming the op and which input is empty.
template <class... Inputs>
void expect_defined(const char* op, const Inputs&... inputs) {
  int position = 0;
  ((expect<ValueError>(inputs.defined(), op, ": input ", position, " is empty (a Variable without a tensor); give it a value"),
    ++position),
   ...);
}

}  // namespace graft
