// A table whose cells may hold more than words.
#pragma once
#include <string>
#include <vector>

#include "show/picture.h"

namespace graft::show {

struct Cell {
  std::string words;  ///< any text
  std::string tip;    ///< shown when one points at it: the exact number
  std::string html;   ///< instead of the words, in HTML: what is folded
};
/// strong: the first of the rows at the end that are set off, as sums are.
Html table_of(const std::vector<std::string>& header, const std::vector<std::vector<Cell>>& rows,
              std::size_t strong = std::string::npos);

}  // namespace graft::show
