// A cursor over the bytes of a binary file: reads little-endian numbers and texts, never beyond the end.
#pragma once
#include <algorithm>
#include <cstring>
#include <string>

#include "formats/file.h"
#include "formats/inside/place.h"

namespace graft::formats::inside {

/// What is being read, for messages: a kind ("value of key") and optionally a name from the file.
struct Field {
  const char* kind;
  const std::string* name = nullptr;
};
inline std::ostream& operator<<(std::ostream& out, const Field& field) {
  out << field.kind;
  if (field.name != nullptr) out << ' ' << Quoted{*field.name};
  return out;
}

class Cursor {
 public:
  /// Stops after the first `most` bytes, so that memory is bounded for files of any size (a sparse file can be of any size at
  /// no cost).
  Cursor(const MappedFile& file, std::uint64_t most) : file_(file), end_(std::min<std::uint64_t>(file.size(), most)) {}

  std::uint64_t offset() const { return at_; }
  std::uint64_t left() const { return end_ - at_; }
  const char* left_where() const {
    return end_ < file_.size() ? " of the beginning of the file, which must hold all but the numbers" : "";
  }

  template <class T>
  T take(const Field& field) {
    fits(sizeof(T) <= left(), field, "needs ", sizeof(T), " bytes, but only ", left(), " are left", left_where());
    T value;
    std::memcpy(&value, file_.data() + at_, sizeof value);
    at_ += sizeof value;
    return value;
  }

  /// A length in 8 bytes, then that many bytes.
  std::string take_text(const Field& field) {
    const auto length = take<std::uint64_t>(field);
    if (length > left()) at_ -= sizeof length;  // report the position of the length
    fits(length <= left(), field, "a text of ", length, " bytes, but only ", left(), " are left", left_where());
    std::string taken(reinterpret_cast<const char*>(file_.data()) + at_, static_cast<std::size_t>(length));
    at_ += length;
    return taken;
  }

  /// FormatError "file, byte N: field: what was found, expected ..." unless ok; N is the cursor's position.
  template <class... Parts>
  void fits(bool ok, const Field& field, const Parts&... parts) const {
    need(ok, Position{file_.path(), at_}, field, ": ", parts...);
  }

 private:
  const MappedFile& file_;
  std::uint64_t end_, at_ = 0;
};

}  // namespace graft::formats::inside
