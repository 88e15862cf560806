// How messages and printed tables write numbers and lists: the same everywhere. Open to all folders, as errors.h is.
#pragma once
#include <cstdint>
#include <string>

#include "autograd/errors.h"

namespace graft {

/// 1234567 -> "1,234,567"; n >= 0
std::string grouped(std::int64_t n);

/// 1536 -> "1.5 KiB", up to PiB; below 1024 whole bytes: "20 B"
std::string short_bytes(double bytes);

/// How many letters to put in, take out, change, or swap with the next one to make b of a (Damerau 1964; no letter twice): for
/// messages that say which name was meant.
std::size_t edits(const std::string& a, const std::string& b);

/// {"a", "b"} -> "a, b", of whatever can be written to a stream
template <class List>
std::string joined(const List& all, const char* between = ", ") {
  std::ostringstream out;
  const char* before = "";
  for (const auto& one : all) out << before << one, before = between;
  return out.str();
}

}  // namespace graft
