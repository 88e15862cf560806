// The thirteen kinds of values in a GGUF file, widened: u8..u64 to uint64, i8..i64 to int64, f32 and f64 to double.
#include "formats/inside/gguf_values.h"

namespace graft::formats::inside {

namespace {

/// The items of an array. least: the minimum size of one in the file, in bytes.
template <class Item, class Take>
std::vector<Item> items(const Cursor& cursor, std::uint64_t count, std::uint64_t least, const Field& field, Take take) {
  cursor.fits(count <= cursor.left() / least, field, "an array of ", count, " items of at least ", least, " bytes, but only ",
              cursor.left(), " are left", cursor.left_where());
  std::vector<Item> all;
  all.reserve(static_cast<std::size_t>(count));
  for (std::uint64_t i = 0; i < count; ++i) all.push_back(take());
  return all;
}

template <class Stored, class Item>
std::vector<Item> numbers(Cursor& cursor, std::uint64_t count, const Field& field) {
  return items<Item>(cursor, count, sizeof(Stored), field, [&] { return static_cast<Item>(cursor.take<Stored>(field)); });
}

bool take_bool(Cursor& cursor, const Field& field) {
  const auto byte = cursor.take<std::uint8_t>(field);
  cursor.fits(byte <= 1, field, "a bool of ", static_cast<int>(byte), ", expected 0 or 1");
  return byte == 1;
}

GgufValue read_array(Cursor& cursor, const Field& field) {
  const auto kind = cursor.take<std::uint32_t>(field);
  cursor.fits(kind != static_cast<std::uint32_t>(GgufKind::Array), field,
              "an array of arrays; nested arrays are not supported");
  const auto count = cursor.take<std::uint64_t>(field);
  switch (static_cast<GgufKind>(kind)) {
    case GgufKind::U8: return numbers<std::uint8_t, std::uint64_t>(cursor, count, field);
    case GgufKind::U16: return numbers<std::uint16_t, std::uint64_t>(cursor, count, field);
    case GgufKind::U32: return numbers<std::uint32_t, std::uint64_t>(cursor, count, field);
    case GgufKind::U64: return numbers<std::uint64_t, std::uint64_t>(cursor, count, field);
    case GgufKind::I8: return numbers<std::int8_t, std::int64_t>(cursor, count, field);
    case GgufKind::I16: return numbers<std::int16_t, std::int64_t>(cursor, count, field);
    case GgufKind::I32: return numbers<std::int32_t, std::int64_t>(cursor, count, field);
    case GgufKind::I64: return numbers<std::int64_t, std::int64_t>(cursor, count, field);
    case GgufKind::F32: return numbers<float, double>(cursor, count, field);
    case GgufKind::F64: return numbers<double, double>(cursor, count, field);
    case GgufKind::Bool: return items<bool>(cursor, count, 1, field, [&] { return take_bool(cursor, field); });
    case GgufKind::Text: return items<std::string>(cursor, count, 8, field, [&] { return cursor.take_text(field); });
    case GgufKind::Array: break;
  }
  cursor.fits(false, field, "an array of items of type ", kind, ", expected 0 to 8 or 10 to 12");
  return false;
}

}  // namespace

GgufValue read_value(Cursor& cursor, GgufKind kind, const Field& field) {
  switch (kind) {
    case GgufKind::U8: return std::uint64_t{cursor.take<std::uint8_t>(field)};
    case GgufKind::U16: return std::uint64_t{cursor.take<std::uint16_t>(field)};
    case GgufKind::U32: return std::uint64_t{cursor.take<std::uint32_t>(field)};
    case GgufKind::U64: return cursor.take<std::uint64_t>(field);
    case GgufKind::I8: return std::int64_t{cursor.take<std::int8_t>(field)};
    case GgufKind::I16: return std::int64_t{cursor.take<std::int16_t>(field)};
    case GgufKind::I32: return std::int64_t{cursor.take<std::int32_t>(field)};
    case GgufKind::I64: return cursor.take<std::int64_t>(field);
    case GgufKind::F32: return double{cursor.take<float>(field)};
    case GgufKind::F64: return cursor.take<double>(field);
    case GgufKind::Bool: return take_bool(cursor, field);
    case GgufKind::Text: return cursor.take_text(field);
    case GgufKind::Array: return read_array(cursor, field);
  }
  cursor.fits(false, field, "a value of type ", static_cast<std::uint32_t>(kind), ", expected 0 to 12");
  return false;
}

}  // namespace graft::formats::inside
