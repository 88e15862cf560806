// The header of a safetensors file, read as a stream of JSON events. A tree would lose what matters here: duplicate keys, 2.0
// instead of 2, and the nesting depth. nlohmann's parser checks the grammar, UTF-8 and surrogates.
#include <cstring>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "formats/inside/header.h"
#include "formats/inside/place.h"

namespace graft::formats::inside {

namespace {

using nlohmann::json;

/// A char of the header; each copy that the parser makes reports its position to `read`.
struct Char {
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  const char* at;
  const char** read;

  const char& operator*() const { return *at; }
  Char& operator++() {
    *read = ++at;
    return *this;
  }
  Char operator++(int) {
    Char before = *this;
    ++*this;
    return before;
  }
  [[maybe_unused]] friend bool operator==(const Char& a, const Char& b) { return a.at == b.at; }
  friend bool operator!=(const Char& a, const Char& b) { return a.at != b.at; }
};

/// What is allowed at the parser's position.
enum class Want { Header, Metadata, Note, Tensor, Dtype, Shape, Axis, Offsets, Offset, Anything };

const char* describe(Want want) {
  switch (want) {
    case Want::Header: return "the header as an object {...}";
    case Want::Metadata: return "metadata as an object of strings";
    case Want::Note: return "a metadata value that is a string";
    case Want::Tensor: return "a tensor as an object with dtype, shape and data_offsets";
    case Want::Dtype: return "dtype as a string";
    case Want::Shape: return "shape as an array of integers";
    case Want::Axis: return "a size in shape that is an integer from 0 to 2^63 - 1, without sign, point or exponent";
    case Want::Offsets: return "data_offsets as an array of two integers";
    case Want::Offset:
      return "an offset in data_offsets that is an integer from 0 to 2^64 - 1, without sign, point or exponent";
    case Want::Anything: break;
  }
  return "anything";
}

/// Receives the events of nlohmann's parser (the interface of json::sax_parse) and builds the Header.
class Events {
 public:
  Events(const MappedFile& file, Header& header, const char* const& read) : file_(file), header_(header), read_(read) {}

  bool null() { return take(want() == Want::Metadata, "null"); }
  bool boolean(bool) { return take(false, "true or false"); }
  bool number_integer(json::number_integer_t) { return take(false, "a negative integer"); }
  bool number_float(json::number_float_t, const std::string& digits) { return take(false, digits.substr(0, 40)); }
  bool binary(json::binary_t&) { return take(false, "bytes"); }

  bool number_unsigned(json::number_unsigned_t value) {
    if (want() == Want::Axis) {
      fits(value <= INT64_MAX, "a size of ", value, " in shape, expected at most 2^63 - 1");
      fits(tensor_->shape.size() < most_axes, "more than ", most_axes, " sizes in shape; more axes are not supported");
      tensor_->shape.push_back(static_cast<std::int64_t>(value));
    } else if (want() == Want::Offset) {
      fits(tensor_->range.size() < 2, "a third number in data_offsets, expected [begin, end]");
      tensor_->range.push_back(value);
    } else {
      return take(false, "an integer");
    }
    return true;
  }

  bool string(std::string& value) {
    if (want() == Want::Note) {
      note_->second = std::move(value);
    } else if (want() == Want::Dtype) {
      const auto dtype = dtype_of(value);
      fits(dtype.has_value(), "dtype ", Quoted{value},
           ", expected one of BOOL U8 I8 F8_E5M2 F8_E4M3 I16 U16 F16 BF16 I32 U32 F32",
           " C64 F64 I64 U64 F4 F6_E2M3 F6_E3M2 F8_E8M0 F8_E4M3FNUZ F8_E5M2FNUZ");
      tensor_->dtype = *dtype;
    } else {
      return take(false, "a string");
    }
    return true;
  }

  bool key(std::string& name) {
    key_ = std::move(name);
    Level& level = levels_.back();
    if (level.what == Want::Header) new_entry(key_);
    else if (level.what == Want::Metadata) new_note(key_);
    else fits(level.keys.insert(key_).second, "field ", Quoted{key_}, " twice in one object");
    return true;
  }

  bool start_object(std::size_t) {
    const Want here = want();
    return open(here, here == Want::Header || here == Want::Metadata || here == Want::Tensor, "an object");
  }
  bool start_array(std::size_t) {
    const Want here = want();
    return open(here, here == Want::Shape || here == Want::Offsets, "an array");
  }

  bool end_object() {
    const Level& level = levels_.back();
    if (level.what == Want::Tensor)
      for (const char* field : {"dtype", "shape", "data_offsets"})
        fits(level.keys.count(field) != 0, "no field \"", field, "\", expected dtype, shape and data_offsets");
    levels_.pop_back();
    return true;
  }
  bool end_array() {
    if (levels_.back().what == Want::Offsets)
      fits(tensor_->range.size() == 2, tensor_->range.size(), " numbers in data_offsets, expected [begin, end]");
    levels_.pop_back();
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) {
    const std::string what = error.what(), reason = what.substr(what.find(']') + 1);  // without nlohmann's error number
    need(false, place(), "the header is not JSON: ", Quoted{reason});
    return false;
  }

 private:
  struct Level {
    Want what;
    std::set<std::string> keys;  // of a tensor, and of objects in its unknown fields
  };

  Want want() const {
    if (levels_.empty()) return Want::Header;
    switch (levels_.back().what) {
      case Want::Header: return tensor_ == nullptr ? Want::Metadata : Want::Tensor;
      case Want::Metadata: return Want::Note;
      case Want::Shape: return Want::Axis;
      case Want::Offsets: return Want::Offset;
      case Want::Tensor:
        if (key_ == "dtype") return Want::Dtype;
        if (key_ == "shape") return Want::Shape;
        if (key_ == "data_offsets") return Want::Offsets;
        break;
      default: break;
    }
    return Want::Anything;
  }

  void new_entry(const std::string& name) {
    tensor_ = nullptr;
    tensor_name_ = nullptr;
    if (name == "__metadata__") {
      fits(!std::exchange(has_metadata_, true), "\"__metadata__\" twice");
      return;
    }
    fits(header_.tensors.size() < most_tensors, "more than ", most_tensors, " tensors; more are not supported");
    const auto [entry, is_new] = header_.tensors.try_emplace(name);
    fits(is_new, "tensor ", Quoted{name}, " twice");
    tensor_name_ = &entry->first;
    tensor_ = &entry->second;
    tensor_->at = place().offset;
  }
  void new_note(const std::string& name) {
    const auto [note, is_new] = header_.metadata.try_emplace(name);
    fits(is_new, "key ", Quoted{name}, " twice");
    note_ = note;
  }

  bool open(Want here, bool fitting, const char* found) {
    take(fitting, found);
    fits(levels_.size() < most_levels, "more than ", most_levels, " nested objects and arrays");
    levels_.push_back({here, {}});
    return true;
  }

  bool take(bool fitting, const std::string& found) const {
    const Want here = want();
    if (!fitting && here != Want::Anything) fits(false, found, ", expected ", describe(here));
    return true;
  }

  /// Reports what was found, and where in the header.
  template <class... Parts>
  void fits(bool ok, const Parts&... found) const {
    if (ok) return;
    if (levels_.empty()) need(false, place(), "found ", found...);
    if (tensor_name_ != nullptr && levels_.size() > 1)
      need(false, place(), "tensor ", Quoted{*tensor_name_}, ": found ", found...);
    if (levels_.size() == 1) need(false, place(), "entry ", Quoted{key_}, ": found ", found...);
    need(false, place(), "__metadata__, key ", Quoted{key_}, ": found ", found...);
  }
  Position place() const {
    return {file_.path(), static_cast<std::uint64_t>(read_ - reinterpret_cast<const char*>(file_.data()))};
  }

  const MappedFile& file_;
  Header& header_;
  const char* const& read_;  // the parser's position
  std::vector<Level> levels_;
  std::string key_;                           // the last one
  const std::string* tensor_name_ = nullptr;  // the tensor being described; null in the metadata
  Described* tensor_ = nullptr;
  std::map<std::string, std::string>::iterator note_;
  bool has_metadata_ = false;
};

}  // namespace

Header read_header(const MappedFile& file) {
  const auto place = [&](std::uint64_t offset) { return Position{file.path(), offset}; };
  need(file.size() >= 8, place(0), "a file of ", file.size(), " bytes, expected the header's length in 8 bytes");
  std::uint64_t length;
  std::memcpy(&length, file.data(), sizeof length);
  need(length <= most_header_bytes, place(0), "a header's length of ", length, ", expected at most ", most_header_bytes,
       "; is this a safetensors file?");
  need(length <= file.size() - 8, place(0), "a header's length of ", length, ", but only ", file.size() - 8,
       " bytes follow; is the file complete?");

  const char* begin = reinterpret_cast<const char*>(file.data()) + 8;
  const char* end = begin + length;
  // The parser would skip a byte-order mark and take a NUL for the end of the text.
  need(length < 3 || std::memcmp(begin, "\xef\xbb\xbf", 3) != 0, place(8), "a byte-order mark, expected the header's {");
  if (const void* nul = length == 0 ? nullptr : std::memchr(begin, 0, length))
    need(false, place(static_cast<std::uint64_t>(static_cast<const char*>(nul) - begin) + 8),
         "a NUL byte in the header, expected JSON padded with spaces");

  Header header{{}, {}, 8 + length};
  const char* read = begin;
  Events events(file, header, read);
  json::sax_parse(Char{begin, &read}, Char{end, &read}, &events);
  return header;
}

}  // namespace graft::formats::inside
