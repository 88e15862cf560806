// The history of a Variable as a picture (autograd/graph.h draws it).
#pragma once
#include "autograd/variable.h"
#include "show/picture.h"

namespace graft::show {

/// Its text has the sixty nodes nearest to y. Errors: ValueError for an empty Variable
Picture graph(const Variable& y);

}  // namespace graft::show
