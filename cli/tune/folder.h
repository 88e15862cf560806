// The folder of a run, or of a comparison, held by one process at a time.
#pragma once
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "autograd/real.h"
#include "cli/file_lock.h"

namespace graft::cli {

class Folder {
 public:
  /// Creates it if necessary. Errors: FileError, also if another process is using it; who: that process, "graft tune"
  Folder(const std::string& path, const std::string& who);
  ~Folder();  ///< Removes a folder that was created for this and is still empty.
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string file(const std::string& name) const { return (path_ / name).string(); }
  bool has(const std::string& name) const { return std::filesystem::exists(path_ / name); }
  bool begun() const { return has("run.json"); }
  bool foreign() const;                       ///< holds anything at all
  bool holds(const std::string& path) const;  ///< whether path is the folder or inside it
  std::string path() const { return path_.string(); }

  static std::string best(Index step);
  void clear() const;                ///< removes the files of a run, and nothing else
  void keep_best(Index step) const;  ///< keeps the best parameters of this step only

 private:
  std::filesystem::path made_, path_;  // made_: the topmost folder that was created; ""
  FileLock lock_;
};

/// Creates it and its parents if necessary, and returns the path. Errors: FileError
std::filesystem::path make_folder(const std::filesystem::path& path);

void write_json(const std::string& file, const nlohmann::json& value);  ///< Errors: FileError

}  // namespace graft::cli
