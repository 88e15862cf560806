// Which of several named variants of its parts a model uses. The model owns one; parts with variants look at it.
#pragma once
#include <string>
#include <vector>

namespace graft {

/// One name for all rows of the batch, or one per row. "" is none: the model as it is without variants.
struct Selection {
  std::string all;
  std::vector<std::string> rows;  ///< if not empty, one name per row of the batch

  const std::string& row(std::size_t b) const { return rows.empty() ? all : rows[b]; }
  bool mixed() const {  ///< do rows differ?
    for (const std::string& name : rows)
      if (name != rows.front()) return true;
    return false;
  }
  /// The one name, if rows do not differ.
  const std::string& one() const { return rows.empty() ? all : rows.front(); }
  bool operator==(const Selection& other) const { return all == other.all && rows == other.rows; }
  bool operator!=(const Selection& other) const { return !(*this == other); }
};

}  // namespace graft
