// How a reader reports errors: its position, and names from the file quoted so that no raw byte reaches a terminal.
#pragma once
#include <cstdint>
#include <ostream>
#include <string>

#include "autograd/errors.h"

namespace graft::formats::inside {

/// Prints text in quotes: printable ASCII as it is, other bytes as \xNN; a long text is cut.
struct Quoted {
  const std::string& text;
};
std::ostream& operator<<(std::ostream& out, const Quoted& quoted);

/// A byte position in a file.
struct Position {
  const std::string& path;
  std::uint64_t offset;
};

/// Throws FormatError, "model.gguf, byte 24: ...", unless ok. The parts are only used if it throws.
template <class... Parts>
void need(bool ok, const Position& place, const Parts&... parts) {
  if (!ok) throw FormatError(text(place.path, ", byte ", place.offset, ": ", parts...));
}

}  // namespace graft::formats::inside
