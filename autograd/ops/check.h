// Checks shared by ops. Not part of the public interface.
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

/// The axis counted from the front. Errors: IndexError naming the op.
inline int axis_of(const char* op, const Variable& x, int axis) {
  const int rank = x.shape().rank();
  expect<IndexError>(-rank <= axis && axis < rank, op, ": axis ", axis, " does not exist in shape ", x.shape(), ", which has ",
                     rank, " axes; count them from 0, or from -1 at the end");
  return x.shape().resolve(axis);
}

}  // namespace graft
