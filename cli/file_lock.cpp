#include "cli/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "autograd/errors.h"

namespace graft::cli {

namespace {

int open_to_lock(const std::string& path) {
  const int file = open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
  expect<FileError>(file >= 0, path, ": cannot be written to: ", std::strerror(errno));
  return file;
}

}  // namespace

FileLock::FileLock(const std::string& file) : path_(file), file_(open_to_lock(file)) {}
FileLock::~FileLock() { close(file_); }

bool FileLock::try_take() {
  for (;;) {
    if (flock(file_, LOCK_EX | LOCK_NB) != 0) return false;
    struct stat mine {}, there {};
    const bool same = fstat(file_, &mine) == 0 && stat(path_.c_str(), &there) == 0 && mine.st_ino == there.st_ino &&
                      mine.st_dev == there.st_dev;
    if (same) return true;
    const int again = open_to_lock(path_);  // the previous holder has removed it meanwhile
    close(file_);
    file_ = again;
  }
}
void FileLock::take() { flock(file_, LOCK_EX); }

}  // namespace graft::cli
