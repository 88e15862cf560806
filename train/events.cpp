#include "train/events.h"

#include <array>
#include <cstring>

#include "autograd/errors.h"

namespace graft::train {
namespace {

template <class T>
std::string bytes_of(T value) {  // little-endian, as on every supported machine
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}
std::string varint(std::uint64_t n) {
  std::string bytes;
  for (; n >= 128; n >>= 7) bytes += static_cast<char>((n & 127) | 128);
  return bytes + static_cast<char>(n);
}
// Protobuf fields: a key of number and kind (0 varint, 1 eight bytes, 2 bytes with their length, 5 four bytes), then the value.
std::string key(int number, int kind) { return varint(static_cast<std::uint64_t>((number << 3) | kind)); }
std::string of_double(int number, double x) { return key(number, 1) + bytes_of(x); }
std::string of_float(int number, float x) { return key(number, 5) + bytes_of(x); }
std::string of_int(int number, std::int64_t n) { return key(number, 0) + varint(static_cast<std::uint64_t>(n)); }
std::string of_bytes(int number, const std::string& s) { return key(number, 2) + varint(s.size()) + s; }

std::string masked(const std::string& bytes) {  // so that checksums of checksums stay useful
  const std::uint32_t crc = crc32c(bytes);
  return bytes_of(static_cast<std::uint32_t>(((crc >> 15) | (crc << 17)) + 0xa282ead8U));
}

}  // namespace

std::uint32_t crc32c(const std::string& bytes) {
  static const std::array<std::uint32_t, 256> table = [] {
    std::array<std::uint32_t, 256> t{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t c = i;
      for (int bit = 0; bit < 8; ++bit) c = c & 1 ? (c >> 1) ^ 0x82f63b78U : c >> 1;
      t[i] = c;
    }
    return t;
  }();
  std::uint32_t c = ~0U;
  for (const char byte : bytes) c = (c >> 8) ^ table[(c ^ static_cast<unsigned char>(byte)) & 255];
  return ~c;
}

EventFile::EventFile(const std::string& path, double wall_time) : path_(path), out_(path, std::ios::binary | std::ios::trunc) {
  expect<FileError>(out_.good(), path, ": cannot be written to");
  record(of_double(1, wall_time) + of_bytes(3, "brain.Event:2"));  // Event{wall_time, file_version}
}

EventFile::~EventFile() = default;

void EventFile::scalar(const std::string& tag, Index step, double value, double wall_time) {
  const std::string one = of_bytes(1, tag) + of_float(2, static_cast<float>(value));  // Value{tag, simple_value}
  record(of_double(1, wall_time) + of_int(2, step) + of_bytes(5, of_bytes(1, one)));  // Event{wall_time, step, Summary{value}}
}

void EventFile::record(const std::string& message) {
  const std::string length = bytes_of(static_cast<std::uint64_t>(message.size()));
  out_ << length << masked(length) << message << masked(message) << std::flush;
  expect<FileError>(out_.good(), path_, ": cannot be written to; is the disk full?");
}

}  // namespace graft::train
