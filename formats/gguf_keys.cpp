// Getting the value of a key in a GGUF file, as the kind that the caller needs.
#include "autograd/errors.h"
#include "formats/gguf.h"
#include "formats/inside/place.h"

namespace graft::formats {

namespace {

using inside::Quoted;

const char* kind_name(const GgufValue& value) {
  static constexpr const char* names[] = {"an integer",
                                          "an integer",
                                          "a real number",
                                          "a bool",
                                          "a text",
                                          "an array of integers",
                                          "an array of integers",
                                          "an array of real numbers",
                                          "an array of bools",
                                          "an array of texts"};
  return names[value.index()];
}

[[noreturn]] void reject(const Gguf& file, const std::string& key, const char* expected) {
  const auto found = file.values().find(key);
  if (found == file.values().end())
    throw FormatError(
        text(file.path(), ": no key ", Quoted{key}, " among its ", file.values().size(), ", expected ", expected));
  throw FormatError(text(file.path(), ": key ", Quoted{key}, " is ", kind_name(found->second), ", expected ", expected));
}

template <class Kind>
const Kind* find(const Gguf& file, const std::string& key) {
  const auto found = file.values().find(key);
  return found == file.values().end() ? nullptr : std::get_if<Kind>(&found->second);
}

template <class Kind>
const Kind& get(const Gguf& file, const std::string& key, const char* expected) {
  const Kind* value = find<Kind>(file, key);
  if (value == nullptr) reject(file, key, expected);
  return *value;
}

}  // namespace

std::int64_t Gguf::integer(const std::string& key) const {
  if (const auto* value = formats::find<std::uint64_t>(*this, key)) {
    if (*value > INT64_MAX)
      throw FormatError(graft::text(path(), ": key ", Quoted{key}, " is ", *value, ", expected at most 2^63 - 1"));
    return static_cast<std::int64_t>(*value);
  }
  return get<std::int64_t>(*this, key, "an integer");
}
double Gguf::real(const std::string& key) const { return get<double>(*this, key, "a real number"); }
bool Gguf::boolean(const std::string& key) const { return get<bool>(*this, key, "a bool"); }
const std::string& Gguf::text(const std::string& key) const { return get<std::string>(*this, key, "a text"); }
const std::vector<std::string>& Gguf::texts(const std::string& key) const {
  return get<std::vector<std::string>>(*this, key, "an array of texts");
}

std::vector<std::int64_t> Gguf::integers(const std::string& key) const {
  const auto* positive = formats::find<std::vector<std::uint64_t>>(*this, key);
  if (positive == nullptr) return get<std::vector<std::int64_t>>(*this, key, "an array of integers");
  std::vector<std::int64_t> all;
  all.reserve(positive->size());
  for (const std::uint64_t value : *positive) {
    if (value > INT64_MAX)
      throw FormatError(graft::text(path(), ": key ", Quoted{key}, " holds ", value, ", expected at most 2^63 - 1"));
    all.push_back(static_cast<std::int64_t>(value));
  }
  return all;
}

std::int64_t Gguf::integer(const std::string& key, std::int64_t otherwise) const { return has(key) ? integer(key) : otherwise; }
double Gguf::real(const std::string& key, double otherwise) const { return has(key) ? real(key) : otherwise; }
bool Gguf::boolean(const std::string& key, bool otherwise) const { return has(key) ? boolean(key) : otherwise; }

}  // namespace graft::formats
