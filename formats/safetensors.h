// The safetensors format (github.com/huggingface/safetensors): an 8-byte length, a JSON header, the numbers. A strict reader
// over a mapped file, and an atomic writer. Independent of any model.
//
// Accepted as by the reference implementation: white space around the header, unknown fields of a tensor, "__metadata__":
// null, tensors at odd bytes or without numbers, empty and strange names (never use one as a path). Stricter than the
// reference: no key may occur twice in one object, at any depth; at most 8 axes, 2^18 tensors and 16 levels of JSON; the
// product of the nonzero sizes must fit 63 bits, in any order; a tensor must be described by an object.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "formats/file.h"

namespace graft::formats {

enum class Dtype : std::uint8_t {
  BOOL,
  U8,
  I8,
  F8_E5M2,
  F8_E4M3,
  I16,
  U16,
  F16,
  BF16,
  I32,
  U32,
  F32,
  C64,
  F64,
  I64,
  U64,
  F4,
  F6_E2M3,
  F6_E3M2,
  F8_E8M0,
  F8_E4M3FNUZ,
  F8_E5M2FNUZ
};
const char* name(Dtype dtype);
int bits(Dtype dtype);  ///< per number
std::optional<Dtype> dtype_of(const std::string& name);

/// One tensor of a file.
struct TensorEntry {
  std::string name;
  Dtype dtype;
  std::vector<std::int64_t> shape;
  const std::uint8_t* data;  ///< inside the mapped file, at any alignment
  std::size_t bytes;
  std::int64_t numel() const;
};

class Safetensors {
 public:
  /// Reads and checks the header; no number is read. Errors: FileError, FormatError (names file, field and the byte up to
  /// which the header was read, or where numbers are wrong).
  explicit Safetensors(const std::string& path);

  const std::string& path() const { return file_->path(); }
  const std::map<std::string, TensorEntry>& tensors() const { return tensors_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const TensorEntry* find(const std::string& name) const;  ///< null if there is none
  const MappedFile& file() const { return *file_; }

 private:
  std::shared_ptr<const MappedFile> file_;
  std::map<std::string, TensorEntry> tensors_;
  std::map<std::string, std::string> metadata_;
};

/// All numbers of a F32, F16, BF16 or F64 entry as `to[numel]`. Errors: FormatError for another dtype.
void read_numbers(const TensorEntry& entry, float* to, const std::string& path);
void read_numbers(const TensorEntry& entry, double* to, const std::string& path);

/// A tensor to be written: numbers in memory, stored as F32, F16 or BF16 (rounded to nearest even).
struct Numbers {
  std::string name;
  std::vector<std::int64_t> shape;
  const float* data = nullptr;                    ///< or
  const double* wide = nullptr;                   ///< or
  std::function<std::vector<float>()> make = {};  ///< called when it is written, so that only one such tensor exists at a time
};
/// Errors: FileError (nothing is left behind), ValueError for two tensors with the same name or another dtype.
void write_safetensors(const std::string& path, const std::vector<Numbers>& tensors, Dtype as = Dtype::F32,
                       const std::map<std::string, std::string>& metadata = {{"format", "pt"}});

float from_half(std::uint16_t bits);    ///< IEEE binary16
float from_bfloat(std::uint16_t bits);  ///< the upper half of a binary32
std::uint16_t to_half(float value);     ///< nearest even
std::uint16_t to_bfloat(float value);

}  // namespace graft::formats
