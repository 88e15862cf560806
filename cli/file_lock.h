// A lock that one process holds at a time, and that goes with it, however it ends.
#pragma once
#include <string>

namespace graft::cli {

class FileLock {
 public:
  explicit FileLock(const std::string& file);  ///< Makes the file if need be. Errors: FileError if it cannot be written to
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  bool try_take();  ///< false if another process holds it. Errors: FileError if its folder is gone
  void take();      ///< waits until it is free

 private:
  std::string path_;
  int file_;
};

}  // namespace graft::cli
