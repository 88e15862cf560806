// The GGUF format, versions 2 and 3 (little endian): keys with values, then tensors in blocks. A strict reader over a mapped
// file, independent of any model; unpacks nothing. Specification: github.com/ggml-org/ggml, docs/gguf.md.
//
// Where implementations differ, this reader
//   refuses  an alignment (general.alignment, a u32, default 32) that is not a power of two from 8 to 65536; a tensor without
//            numbers, with 0 or more than 4 axes, or with rows that are not whole blocks; nested arrays; a key or tensor name
//            that is empty, contains a NUL or occurs twice; keys longer than 65535 bytes, tensor names longer than 63 (what
//            ggml_tensor can hold); tensors that overlap, are not in the order described, or leave gaps beyond the padding;
//            a bool other than 0 or 1; values and descriptions that do not end within the first 2^28 bytes;
//   accepts  bytes after the last tensor, and a last tensor without its padding; keys of any other form.
// Texts, keys and names are raw bytes, not checked to be UTF-8. Memory use is a small multiple of the bytes before the
// numbers.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "formats/file.h"

namespace graft::formats {

/// One tensor of a file. shape is in PyTorch's order (slowest axis first): GGUF's ne reversed.
struct GgufTensor {
  std::string name;
  std::uint32_t type;  ///< as in the file: 0 F32, 1 F16, 2 Q4_0, ...
  std::vector<std::int64_t> shape;
  const std::uint8_t* data;
  std::size_t bytes;
};

/// A value: a number (signed, unsigned, real, bool), a text, or an array of one kind.
using GgufValue = std::variant<std::int64_t, std::uint64_t, double, bool, std::string, std::vector<std::int64_t>,
                               std::vector<std::uint64_t>, std::vector<double>, std::vector<bool>, std::vector<std::string>>;

class Gguf {
 public:
  /// Reads and checks everything except the numbers. Errors: FileError, FormatError (names file, field and offset).
  explicit Gguf(const std::string& path);

  const std::string& path() const { return file_->path(); }
  const std::map<std::string, GgufTensor>& tensors() const { return tensors_; }
  const std::map<std::string, GgufValue>& values() const { return values_; }
  const GgufTensor* find(const std::string& name) const;  ///< null if there is none
  std::shared_ptr<const MappedFile> file() const { return file_; }

  bool has(const std::string& key) const { return values_.count(key) != 0; }
  /// The value of a key. Errors: FormatError names file and key if it is missing or of another kind.
  std::int64_t integer(const std::string& key) const;
  double real(const std::string& key) const;
  bool boolean(const std::string& key) const;
  const std::string& text(const std::string& key) const;
  const std::vector<std::string>& texts(const std::string& key) const;
  std::vector<std::int64_t> integers(const std::string& key) const;
  std::int64_t integer(const std::string& key, std::int64_t otherwise) const;  ///< if missing
  double real(const std::string& key, double otherwise) const;
  bool boolean(const std::string& key, bool otherwise) const;

 private:
  std::shared_ptr<const MappedFile> file_;
  std::map<std::string, GgufTensor> tensors_;
  std::map<std::string, GgufValue> values_;
};

const char* gguf_type_name(std::uint32_t type);  ///< "Q4_1"; null for an unknown type

}  // namespace graft::formats
