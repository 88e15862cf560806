// A folder in the making: written beside its final place and moved there when it is complete, so that --out appears whole or
// not at all.
#pragma once
#include <filesystem>
#include <string>

namespace graft::cli {

/// Where --out is to be, checked before the work: its parent exists, it is no file, not `from`, and empty unless forced.
/// Errors: FileError, ValueError say what --force would do.
std::filesystem::path target_folder(const std::string& out, const std::string& from, bool force);

class Draft {
 public:
  explicit Draft(const std::filesystem::path& target);  ///< Errors: FileError
  ~Draft();                                             ///< removed unless it was moved
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  std::string path() const { return path_.string(); }
  void move_to(const std::filesystem::path& target) const;  ///< replaces a model's files there. Errors: FileError

 private:
  std::filesystem::path path_;
};

}  // namespace graft::cli
