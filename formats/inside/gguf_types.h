// How the numbers of a GGUF tensor are stored: in blocks along its rows.
#pragma once
#include <cstdint>

namespace graft::formats::inside {

struct GgufBlock {
  const char* name;
  std::int64_t numbers, bytes;  // per block
};
const GgufBlock* gguf_block(std::uint32_t type);  // null for an unknown type

}  // namespace graft::formats::inside
