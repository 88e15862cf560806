// The JSON header of a safetensors file as it stands, not yet checked against the numbers.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "formats/safetensors.h"

namespace graft::formats::inside {

struct Described {
  Dtype dtype;
  std::vector<std::int64_t> shape;
  std::vector<std::uint64_t> range;  // begin and end, relative to the first number
  std::uint64_t at;                  // the byte of the file where its name ends
};

struct Header {
  std::map<std::string, Described> tensors;
  std::map<std::string, std::string> metadata;
  std::uint64_t end;  // the byte where the numbers begin
};

constexpr std::uint64_t most_header_bytes = 100'000'000;  // the limit of the reference implementation
constexpr std::size_t most_axes = 8, most_tensors = 1 << 18, most_levels = 16;

/// Errors: FormatError. Memory: a small multiple of the header's size.
Header read_header(const MappedFile& file);

}  // namespace graft::formats::inside
