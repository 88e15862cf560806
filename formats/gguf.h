// The GGUF format, versions 2 and 3 (little endian): keys with values, then tensors in blocks. A strict reader over a mapped
// file. Knows no model and unpacks nothing. Specification: github.com/ggml-org/ggml, docs/gguf.md.
//
// Where implementations differ, this reader
//   refuses  an alignment (general.alignment, a u32, 32 without it) that is not a power of two from 8 to 65536; a tensor without
//            numbers, with 0 or more than 4 axes, or with rows that are no whole blocks; arrays of arrays; a key or a tensor's
//            name that is empty, holds a NUL or occurs twice; keys above 65535 bytes, names of tensors above 63 (the room in
//            ggml_tensor); tensors that overlap, lie in another order than described, or leave gaps beyond the padding; a bool
//            that is neither 0 nor 1; values and descriptions that do not end within the first 2^28 bytes;
//   accepts  bytes after the last tensor, and a last tensor without its padding; keys of any other form.
// Texts, keys and names are bytes as they are: nobody has checked that they are UTF-8. Memory: a small multiple of the bytes
// before the numbers.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "formats/file.h"

namespace graft::formats {

/// One tensor of a file. shape is in the order of PyTorch (the slowest axis first): GGUF's ne reversed.
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
  /// Reads and checks everything but the numbers. Errors: FileError, FormatError (names file, field and offset).
  explicit Gguf(const std::string& path);

  const std::string& path() const { return file_->path(); }
  const std::map<std::string, GgufTensor>& tensors() const { return tensors_; }
  const std::map<std::string, GgufValue>& values() const { return values_; }
  const GgufTensor* find(const std::string& name) const;  ///< null if there is none
  std::shared_ptr<const MappedFile> file() const { return file_; }

  bool has(const std::string& key) const { return values_.count(key) != 0; }
  /// The value of a key. Errors: FormatError names file and key when it is missing, or of another kind.
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

const char* gguf_type_name(std::uint32_t type);  ///< "Q4_1"; null for a type that this reader does not know

}  // namespace graft::formats
