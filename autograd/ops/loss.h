// What the three forms of cross-entropy share. Not part of the public interface.
#pragma once
#include <vector>

#include "autograd/ops.h"

namespace graft {

/// One weight per row, 0 where the label is ignored. Checks labels against V and weights against the rows.
std::vector<real> row_weights(const char* op, const Shape& rows, const Ids& labels, Index V, const Reduction& reduction);

}  // namespace graft
