// Reading: memory-mapped, or as one string.
#include "formats/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "autograd/errors.h"

namespace graft::formats {

namespace {

/// A file descriptor that is closed at the end of its scope.
struct Opened {
  int file;
  ~Opened() { ::close(file); }
};

// Without O_NONBLOCK, opening a pipe without a writer would wait forever.
int open_to_read(const std::string& path, int flags) {
  int file = -1;
  do file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | flags);
  while (file < 0 && errno == EINTR);
  expect<FileError>(file >= 0, "cannot read ", path, ": ", std::strerror(errno));
  return file;
}

struct stat facts(const Opened& opened, const std::string& path) {
  struct stat about;
  expect<FileError>(::fstat(opened.file, &about) == 0, "cannot read ", path, ": ", std::strerror(errno));
  expect<FileError>(!S_ISDIR(about.st_mode), "cannot read ", path, ": it is a folder; name a file in it");
  return about;
}

}  // namespace

MappedFile::MappedFile(const std::string& path) : path_(path) {
  const Opened opened{open_to_read(path, O_NONBLOCK)};
  const struct stat about = facts(opened, path);
  expect<FileError>(S_ISREG(about.st_mode), "cannot map ", path, ": it is not a regular file; copy it into one");
  size_ = static_cast<std::size_t>(about.st_size);
  if (size_ == 0) return;  // an empty range cannot be mapped
  void* mapped = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, opened.file, 0);
  expect<FileError>(mapped != MAP_FAILED, "cannot map the ", size_, " bytes of ", path, ": ", std::strerror(errno));
  data_ = static_cast<const std::uint8_t*>(mapped);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::uint8_t*>(data_), size_);
}

void MappedFile::forget(const void* begin, std::size_t bytes) const {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  // Only whole pages inside: those at the ends also hold other bytes.
  const std::uintptr_t from = (reinterpret_cast<std::uintptr_t>(begin) + page - 1) / page * page;
  const std::uintptr_t to = (reinterpret_cast<std::uintptr_t>(begin) + bytes) / page * page;
  if (from < to) ::madvise(reinterpret_cast<void*>(from), to - from, MADV_DONTNEED);  // only advice: a failure is harmless
}

std::string read_text(const std::string& path) {
  const Opened opened{open_to_read(path, 0)};
  facts(opened, path);
  std::string all;
  std::array<char, 1 << 16> some;
  for (;;) {
    const ssize_t count = ::read(opened.file, some.data(), some.size());
    if (count < 0 && errno == EINTR) continue;
    expect<FileError>(count >= 0, "cannot read ", path, ": ", std::strerror(errno));
    if (count == 0) return all;
    all.append(some.data(), static_cast<std::size_t>(count));
    expect<FileError>(all.size() <= std::size_t(1) << 30, path, " is larger than 1 GiB, too large to be read as text");
  }
}

}  // namespace graft::formats
