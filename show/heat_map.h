// A matrix as coloured cells.
#pragma once
#include <string>
#include <vector>

#include "autograd/tensor.h"
#include "show/picture.h"

namespace graft::show {

struct HeatMap {
  std::string title = {};
  std::vector<std::string> rows = {}, columns = {};  ///< names at the sides; empty: none
};
/// Blue below 0, white at 0, red above; the strongest colour is the largest absolute number. A tall matrix lies on its side, and
/// says so. Numbers that are not finite are grey. A vector is one row.
/// Errors: ShapeError unless W is a matrix or a vector; ValueError if it is empty, for more than 65536 numbers, and for another
/// number of names than of rows or columns.
Picture heat_map(const Tensor& W, const HeatMap& how = {});

}  // namespace graft::show
