// Which of several named variants of its parts a model uses. The model owns one; parts with variants read it.
#pragma once
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace graft {

/// One name for all rows of the batch, or one per row. "" is none: the model as it is without variants. A model's is set by
/// Model::select(), which checks the names.
class Selection {
 public:
  Selection() = default;
  Selection(const char* all) : all_(all) {}
  Selection(std::string all) : all_(std::move(all)) {}
  Selection(std::vector<std::string> rows) : rows_(std::move(rows)) {}

  const std::vector<std::string>& rows() const { return rows_; }  ///< one name per row of the batch; empty: the same for all
  const std::string& row(std::size_t b) const { return rows_.empty() ? all_ : rows_[b]; }
  bool mixed() const {  ///< do rows differ?
    for (const std::string& name : rows_)
      if (name != rows_.front()) return true;
    return false;
  }
  /// The one name, if rows do not differ.
  const std::string& one() const { return rows_.empty() ? all_ : rows_.front(); }
  /// All that are named, each once, without "".
  std::set<std::string> names() const {
    std::set<std::string> all(rows_.begin(), rows_.end());
    all.insert(one());
    all.erase("");
    return all;
  }
  bool operator==(const Selection& other) const { return all_ == other.all_ && rows_ == other.rows_; }
  bool operator!=(const Selection& other) const { return !(*this == other); }

 private:
  std::string all_;
  std::vector<std::string> rows_;
};

}  // namespace graft
