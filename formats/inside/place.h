// How a reader of files complains: where it stood, and names from the file printed so that no byte of it reaches a terminal.
#pragma once
#include <cstdint>
#include <ostream>
#include <string>

#include "autograd/errors.h"

namespace graft::formats::inside {

/// Prints text in quotes: printable ASCII as it is, other bytes as \xNN, and no more than its beginning.
struct Quoted {
  const std::string& text;
};
std::ostream& operator<<(std::ostream& out, const Quoted& quoted);

/// A byte of a file.
struct Position {
  const std::string& path;
  std::uint64_t offset;
};

/// Throws FormatError, "model.gguf, byte 24: ...", unless ok. The parts are only looked at when they are needed.
template <class... Parts>
void need(bool ok, const Position& place, const Parts&... parts) {
  if (!ok) throw FormatError(text(place.path, ", byte ", place.offset, ": ", parts...));
}

}  // namespace graft::formats::inside
