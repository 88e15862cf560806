// Writing: a temporary file in its target's folder, flushed to the disk before it is renamed to the target. Everything after
// the constructor goes through the folder's descriptor, so a later chdir() makes no difference.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "autograd/errors.h"
#include "formats/file.h"

namespace graft::formats {

namespace {

/// What path finally refers to: links are followed, even to a file that does not exist yet.
std::filesystem::path followed(const std::string& path) {
  std::filesystem::path at = path;
  std::error_code error;
  for (int links = 0; std::filesystem::is_symlink(std::filesystem::symlink_status(at, error)); ++links) {
    expect<FileError>(links < 40, "cannot write ", path, ": ", std::strerror(ELOOP));
    at = at.parent_path() / std::filesystem::read_symlink(at, error);  // an absolute link replaces the whole path
    expect<FileError>(!error, "cannot write ", path, ": ", error.message());
  }
  return at;
}

/// A name that no other AtomicFile has; short enough for every file system.
std::string fresh_name(const std::string& target) {
  static std::atomic<unsigned> count{0};
  return text('.', target.substr(0, 200), '.', ::getpid(), '-', count++, ".new");
}

}  // namespace

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)) {
  const std::filesystem::path target = followed(path_);
  target_ = target.filename().string();
  expect<FileError>(!target_.empty() && target_ != "." && target_ != "..", "cannot write ", path_, ": it does not name a file");
  const std::string folder = target.has_parent_path() ? target.parent_path().string() : ".";
  folder_ = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  expect<FileError>(folder_ >= 0, "cannot write ", path_, ": the folder ", folder, ": ", std::strerror(errno));

  struct stat old;
  const bool exists = ::fstatat(folder_, target_.c_str(), &old, 0) == 0;
  if (exists && !S_ISREG(old.st_mode)) fail("cannot write", "it exists but is not a regular file");
  const mode_t mode = exists ? old.st_mode & 0777 : 0666;
  for (int attempts = 0; file_ < 0; ++attempts) {
    temporary_ = fresh_name(target_);
    file_ = ::openat(folder_, temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    // EEXIST: left behind by an earlier process with our process id.
    if (file_ < 0 && errno != EINTR && (errno != EEXIST || attempts > 1000)) {
      const int error = errno;
      temporary_.clear();  // not our file to remove
      fail("cannot write", std::strerror(error));
    }
  }
  if (exists && ::fchmod(file_, mode) != 0) fail("cannot write", std::strerror(errno));  // open() subtracted the umask
}

AtomicFile::~AtomicFile() { discard(); }

void AtomicFile::write(const void* bytes, std::size_t count) {
  expect<FileError>(file_ >= 0, "cannot write ", path_,
                    ": it was committed, or an earlier write failed; begin a new AtomicFile");
  const char* at = static_cast<const char*>(bytes);
  while (count > 0) {
    const ssize_t written = ::write(file_, at, count);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail("cannot write", std::strerror(written < 0 ? errno : ENOSPC));
    at += written;
    count -= static_cast<std::size_t>(written);
  }
}

void AtomicFile::commit() {
  expect<FileError>(file_ >= 0, "cannot write ", path_,
                    ": it was committed, or an earlier write failed; begin a new AtomicFile");
  int failed = 0;
  do failed = ::fsync(file_);
  while (failed != 0 && errno == EINTR);
  if (failed != 0) fail("cannot write", std::strerror(errno));
  // The descriptor is closed even if close() reports an error (a full network disk, say).
  if (::close(std::exchange(file_, -1)) != 0) fail("cannot write", std::strerror(errno));
  if (::renameat(folder_, temporary_.c_str(), folder_, target_.c_str()) != 0) fail("cannot replace", std::strerror(errno));
  temporary_.clear();
  // Only this puts the new name on the disk, too. EINVAL: the file system cannot flush a folder.
  if (::fsync(folder_) != 0 && errno != EINVAL)
    fail("replaced, but the folder was not flushed to the disk:", std::strerror(errno));
  discard();
}

void AtomicFile::fail(const char* what, const std::string& reason) {
  discard();
  throw FileError(text(what, ' ', path_, ": ", reason));
}

void AtomicFile::discard() {
  if (file_ >= 0) { ::close(std::exchange(file_, -1)); }
  if (folder_ >= 0) {
    if (!temporary_.empty()) ::unlinkat(folder_, temporary_.c_str(), 0);
    ::close(std::exchange(folder_, -1));
  }
}

void write_text(const std::string& path, const std::string& text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

}  // namespace graft::formats
