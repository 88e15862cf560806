// Files: memory-mapped for reading, and replaced completely or not at all when written.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace graft::formats {

/// A file's bytes, memory-mapped read-only; data() is null for an empty file. No other program may shorten the file while it
/// is mapped: the system would kill this one (SIGBUS). Errors: FileError (missing, a folder, unreadable).
class MappedFile {
 public:
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::string& path() const { return path_; }
  const std::uint8_t* data() const { return data_; }
  std::size_t size() const { return size_; }
  /// Tells the system that these bytes are no longer needed; reading them again loads them from the file.
  void forget(const void* begin, std::size_t bytes) const;

 private:
  std::string path_;
  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Writes to a temporary file beside `path`; commit() flushes it to the disk and renames it over `path`. Without commit()
/// (after an error, say) the temporary file is removed and `path` is unchanged. The new file keeps the permissions (not the
/// owner) of the one it replaces; if `path` is a symbolic link, the file that it points to is replaced and the link stays.
/// Errors: FileError with the system's reason.
class AtomicFile {
 public:
  explicit AtomicFile(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* bytes, std::size_t count);
  void write(const std::string& text) { write(text.data(), text.size()); }
  void commit();

 private:
  [[noreturn]] void fail(const char* what, const std::string& reason);
  void discard();

  std::string path_, target_, temporary_;  // the path as given; the other two are names in folder_
  int folder_ = -1, file_ = -1;
};

/// The whole file, at most 2^30 bytes. Errors: FileError
std::string read_text(const std::string& path);
void write_text(const std::string& path, const std::string& text);  ///< by AtomicFile

}  // namespace graft::formats
