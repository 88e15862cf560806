#include "cli/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "autograd/errors.h"

namespace graft::cli {

FileLock::FileLock(const std::string& file) : file_(open(file.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644)) {
  expect<FileError>(file_ >= 0, file, ": cannot be written to: ", std::strerror(errno));
}
FileLock::~FileLock() { close(file_); }

bool FileLock::try_take() { return flock(file_, LOCK_EX | LOCK_NB) == 0; }
void FileLock::take() { flock(file_, LOCK_EX); }

}  // namespace graft::cli
