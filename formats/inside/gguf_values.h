// One value of a GGUF file.
#pragma once
#include "formats/gguf.h"
#include "formats/inside/cursor.h"

namespace graft::formats::inside {

enum class GgufKind : std::uint32_t { U8, I8, U16, I16, U32, I32, F32, Bool, Text, Array, U64, I64, F64 };

/// The value at the cursor, which then moves past it. An array's count is checked against the bytes that are left before
/// memory is allocated. Errors: FormatError.
GgufValue read_value(Cursor& cursor, GgufKind kind, const Field& field);

}  // namespace graft::formats::inside
