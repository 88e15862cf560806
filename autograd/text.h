// How messages and printed tables write numbers and lists, the same everywhere. All folders may include it, like errors.h.
#pragma once
#include <cstdint>
#include <string>

#include "autograd/errors.h"

namespace graft {

/// 1234567 -> "1,234,567"; n >= 0
std::string grouped(std::int64_t n);

/// 1536 -> "1.5 KiB", up to PiB; below 1024 whole bytes: "20 B"
std::string short_bytes(double bytes);

/// The fewest insertions, deletions, substitutions and swaps of neighbours that turn a into b, no letter edited twice (Damerau
/// 1964): for messages that suggest the intended name.
std::size_t edits(const std::string& a, const std::string& b);

/// {"a", "b"} -> "a, b", for anything that can be written to a stream
template <class List>
std::string joined(const List& all, const char* between = ", ") {
  std::ostringstream out;
  const char* before = "";
  for (const auto& one : all) out << before << one, before = between;
  return out.str();
}

}  // namespace graft
