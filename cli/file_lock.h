// A lock held by one process at a time and released when that process ends, however it ends.
#pragma once
#include <string>

namespace graft::cli {

class FileLock {
 public:
  explicit FileLock(const std::string& file);  ///< Creates the file if necessary. Errors: FileError if it is not writable
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  bool try_take();  ///< false if another process holds it. Errors: FileError if its folder was removed
  void take();      ///< waits until it is free

 private:
  std::string path_;
  int file_;
};

}  // namespace graft::cli
