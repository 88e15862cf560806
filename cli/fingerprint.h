// To compare two texts without keeping them: FNV-1a, 64 bits. No protection against an attacker.
#pragma once
#include <cstdint>
#include <string>

namespace graft::cli {

inline std::uint64_t fingerprint(const std::string& bytes) {
  std::uint64_t h = 0xcbf29ce484222325u;
  for (const char c : bytes) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return h;
}

}  // namespace graft::cli
