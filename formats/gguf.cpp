#include "formats/gguf.h"

#include <cstring>

#include "formats/inside/cursor.h"
#include "formats/inside/gguf_types.h"
#include "formats/inside/gguf_values.h"

namespace graft::formats {

namespace {

using inside::Cursor;
using inside::Field;
using inside::GgufKind;

/// For keys, values and tensor descriptions: the largest vocabularies take about 20 MB.
constexpr std::uint64_t most_opening_bytes = std::uint64_t{1} << 28;

struct Counts {
  std::uint64_t tensors, values;
};

/// "GGUF", the version, and the numbers of tensors and values.
Counts read_opening(Cursor& cursor) {
  const auto magic = cursor.take<std::uint32_t>({"magic"});
  cursor.fits(magic == 0x46554747, {"magic"}, "the file does not begin with \"GGUF\"; is this a GGUF file?");
  const auto version = cursor.take<std::uint32_t>({"version"});
  cursor.fits(version == 0 || (version & 0xffff) != 0, {"version"}, version,
              " of a big-endian file, expected a little-endian one");
  cursor.fits(version == 2 || version == 3, {"version"}, version, ", expected 2 or 3");
  Counts counts;
  counts.tensors = cursor.take<std::uint64_t>({"tensor count"});
  counts.values = cursor.take<std::uint64_t>({"key count"});
  // A value takes at least 14 bytes: its key's length, one letter, its type and a byte. A tensor with one axis takes 33.
  cursor.fits(counts.values <= cursor.left() / 14, {"key count"}, counts.values, ", but only ", cursor.left(),
              " bytes are left", cursor.left_where());
  cursor.fits(counts.tensors <= cursor.left() / 33, {"tensor count"}, counts.tensors, ", but only ", cursor.left(),
              " bytes are left", cursor.left_where());
  return counts;
}

/// A key or the name of a tensor. NUL is refused because readers in C would see a different name.
std::string read_name(Cursor& cursor, const Field& field, std::size_t most) {
  std::string name = cursor.take_text(field);
  cursor.fits(!name.empty(), field, "an empty name");
  cursor.fits(name.size() <= most, {field.kind, &name}, name.size(), " bytes long, expected at most ", most);
  cursor.fits(name.find('\0') == std::string::npos, {field.kind, &name}, "a NUL byte in a name");
  return name;
}

std::map<std::string, GgufValue> read_values(Cursor& cursor, std::uint64_t count) {
  std::map<std::string, GgufValue> values;
  for (std::uint64_t i = 0; i < count; ++i) {
    std::string key = read_name(cursor, {"key"}, 65535);
    const Field field{"value of key", &key};
    cursor.fits(values.count(key) == 0, {"key", &key}, "found twice");
    const auto kind = static_cast<GgufKind>(cursor.take<std::uint32_t>(field));
    GgufValue value = inside::read_value(cursor, kind, field);
    // In the variant a u32 can no longer be told from a u64.
    cursor.fits(kind == GgufKind::U32 || key != "general.alignment", field, "a value of type ",
                static_cast<std::uint32_t>(kind), ", expected 4, a u32");
    values.emplace(std::move(key), std::move(value));
  }
  return values;
}

/// Tensors begin at multiples of this. The specification requires a multiple of 8.
std::uint64_t alignment_of(const std::map<std::string, GgufValue>& values, const Cursor& cursor) {
  const auto found = values.find("general.alignment");
  if (found == values.end()) return 32;
  const std::uint64_t alignment = std::get<std::uint64_t>(found->second);
  cursor.fits(alignment >= 8 && alignment <= 65536 && (alignment & (alignment - 1)) == 0, {"value of key", &found->first},
              alignment, ", expected a power of two from 8 to 65536");
  return alignment;
}

std::uint64_t padded(std::uint64_t bytes, std::uint64_t alignment) { return (bytes + alignment - 1) & ~(alignment - 1); }

/// A tensor's shape, fastest axis last, and its bytes.
void read_shape(Cursor& cursor, GgufTensor& tensor) {
  const Field field{"tensor", &tensor.name};
  const auto axes = cursor.take<std::uint32_t>(field);
  cursor.fits(axes >= 1 && axes <= 4, field, axes, " axes, expected 1 to 4");
  tensor.shape.resize(axes);
  std::int64_t numel = 1;
  for (std::uint32_t axis = axes; axis-- > 0;) {
    const auto size = cursor.take<std::uint64_t>(field);
    cursor.fits(size >= 1 && size <= INT64_MAX, field, "a size of ", size, ", expected 1 to 2^63 - 1");
    tensor.shape[axis] = static_cast<std::int64_t>(size);
    cursor.fits(!__builtin_mul_overflow(numel, tensor.shape[axis], &numel), field,
                "the product of its sizes does not fit 63 bits");
  }
  tensor.type = cursor.take<std::uint32_t>(field);
  const inside::GgufBlock* block = inside::gguf_block(tensor.type);
  cursor.fits(block != nullptr, field, "numbers of type ", tensor.type, ", which this reader does not support");
  cursor.fits(tensor.shape.back() % block->numbers == 0, field, "rows of ", tensor.shape.back(),
              " numbers, expected a multiple of ", block->numbers, " for ", block->name);
  std::int64_t bytes;
  cursor.fits(!__builtin_mul_overflow(numel / block->numbers, block->bytes, &bytes), field, numel, " numbers of ", block->name,
              ": too many for any file");
  tensor.bytes = static_cast<std::size_t>(bytes);
}

}  // namespace

Gguf::Gguf(const std::string& path) : file_(std::make_shared<MappedFile>(path)) {
  Cursor cursor(*file_, most_opening_bytes);
  const Counts counts = read_opening(cursor);
  values_ = read_values(cursor, counts.values);
  const std::uint64_t alignment = alignment_of(values_, cursor);

  // Tensors follow one another, each padded: no gap, no overlap. Where the first begins is known after all descriptions.
  std::uint64_t covered = 0;
  std::vector<GgufTensor*> order;
  for (std::uint64_t i = 0; i < counts.tensors; ++i) {
    GgufTensor tensor{read_name(cursor, {"tensor name"}, 63), 0, {}, nullptr, 0};
    const Field field{"tensor", &tensor.name};
    cursor.fits(tensors_.count(tensor.name) == 0, field, "found twice");
    read_shape(cursor, tensor);
    const auto offset = cursor.take<std::uint64_t>(field);
    cursor.fits(offset == covered, field, "an offset of ", offset, ", expected ", covered, ", where the tensor before it ends");
    cursor.fits(tensor.bytes <= file_->size() - covered, field, tensor.bytes, " bytes at offset ", offset,
                ", but the file has only ", file_->size(), " bytes");
    covered = padded(covered + tensor.bytes, alignment);
    cursor.fits(covered <= file_->size() || i + 1 == counts.tensors, field, "ends at offset ", covered,
                ", but the file has only ", file_->size(), " bytes");
    std::string name = tensor.name;
    order.push_back(&tensors_.emplace(std::move(name), std::move(tensor)).first->second);
  }

  std::uint64_t at = padded(cursor.offset(), alignment);
  for (GgufTensor* tensor : order) {
    cursor.fits(at <= file_->size() && tensor->bytes <= file_->size() - at, {"tensor", &tensor->name}, tensor->bytes,
                " bytes at byte ", at, ", but the file has only ", file_->size(), "; is it complete?");
    tensor->data = file_->data() + at;
    at = padded(at + tensor->bytes, alignment);
  }
}

const GgufTensor* Gguf::find(const std::string& name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : &found->second;
}

}  // namespace graft::formats
