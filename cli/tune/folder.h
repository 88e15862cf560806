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
  /// Makes it if need be. Errors: FileError, also if another process is at work in it; who: what that is, "graft tune"
  Folder(const std::string& path, const std::string& who);
  ~Folder();  ///< A folder that was made for this, and in which nothing came to be, goes with it.
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string file(const std::string& name) const { return (path_ / name).string(); }
  bool has(const std::string& name) const { return std::filesystem::exists(path_ / name); }
  bool begun() const { return has("run.json"); }
  bool foreign() const;                       ///< holds something
  bool holds(const std::string& path) const;  ///< it is the folder, or lies in it
  std::string path() const { return path_.string(); }

  static std::string best(Index step);
  void clear() const;                ///< removes what a run leaves, and nothing else
  void keep_best(Index step) const;  ///< of the best parameters only those of one step

 private:
  std::filesystem::path made_, path_;  // the topmost folder that had to be made; ""
  FileLock lock_;
};

/// Makes it and those above it if need be, and returns the path. Errors: FileError
std::filesystem::path make_folder(const std::filesystem::path& path);

void write_json(const std::string& file, const nlohmann::json& value);  ///< Errors: FileError

}  // namespace graft::cli
