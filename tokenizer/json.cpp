// Typed steps down a JSON document; see inside/json.h.
#include "tokenizer/inside/json.h"

#include <limits>

namespace graft::json {

namespace {
const Value nothing;
}

Value parse(const std::string& text, const std::string& source) {
  const auto bound = [&](int depth, Value::parse_event_t, Value&) {
    expect<FormatError>(depth <= 64, source, ": nested deeper than 64; a tokenizer's file is nested about 6 deep");
    return true;
  };
  try {
    return Value::parse(text, bound);
  } catch (const Value::exception& error) { throw FormatError(source + " is not JSON: " + error.what()); }
}

Field Field::at(const std::string& key) const {
  object();
  const auto found = value->find(key);
  const std::string path = name + (name.find(": ") == std::string::npos ? ": " : ".") + key;
  return {found == value->end() ? &nothing : &*found, path};
}

Field Field::at(std::size_t index) const { return {&(*value)[index], name + "[" + std::to_string(index) + "]"}; }

const std::string& Field::text() const {
  check(value->is_string(), " is ", value->type_name(), ", expected a string");
  return value->get_ref<const std::string&>();
}

bool Field::flag(bool missing) const {
  if (null()) return missing;
  check(value->is_boolean(), " is ", value->type_name(), ", expected true or false");
  return value->get<bool>();
}

TokenId Field::id() const {
  check(value->is_number_unsigned(), " is ", value->is_number() ? value->dump() : value->type_name(),
        ", expected a token's id, 0 or more");
  const auto id = value->get<std::uint64_t>();
  check(id <= std::uint64_t{std::numeric_limits<TokenId>::max()}, " is ", id, ", too large for a token's id");
  return static_cast<TokenId>(id);
}

const Field& Field::object() const {
  check(value->is_object(), " is ", null() ? "missing" : value->type_name(), ", expected an object");
  return *this;
}

const Field& Field::array() const {
  check(value->is_array(), " is ", null() ? "missing" : value->type_name(), ", expected an array");
  return *this;
}

std::vector<std::string> vocabulary(const Field& vocab) {
  const std::size_t count = vocab.object().value->size();
  std::vector<std::string> tokens(count);
  std::vector<bool> taken(count, false);
  for (auto at = vocab.value->begin(); at != vocab.value->end(); ++at) {
    const auto id = static_cast<std::size_t>(Field{&at.value(), vocab.name + "[\"" + at.key() + "\"]"}.id());
    vocab.check(id < count, "[\"", at.key(), "\"] is ", id, ", but there are only ", count,
                " different tokens; ids must be 0, 1, 2, ...");
    vocab.check(!taken[id], ": id ", id, " is both \"", tokens[id], "\" and \"", at.key(), "\"");
    taken[id] = true;
    tokens[id] = at.key();
  }
  return tokens;
}

std::string token_name(const Field& config, const char* key) {
  const Field field = config.at(key);
  if (field.null()) return "";
  return field.value->is_object() ? field.at("content").text() : field.text();
}

void read_ends(Tokenizer::Parts& parts, const Field& config) {
  const std::pair<const char*, TokenId*> ends[] = {
      {"bos_token", &parts.bos}, {"eos_token", &parts.eos}, {"unk_token", &parts.unk}, {"pad_token", &parts.pad}};
  for (const auto& end : ends) {
    const std::string token = token_name(config, end.first);
    if (token.empty()) continue;
    std::size_t id = 0;
    while (id < parts.tokens.size() && parts.tokens[id] != token) ++id;
    config.check(id < parts.tokens.size(), ": ", end.first, " is \"", token, "\", which is not in the vocabulary");
    *end.second = static_cast<TokenId>(id);
  }
}

void default_end(Tokenizer::Parts& parts) {
  for (const TokenId i : parts.specials)
    if (parts.tokens[static_cast<std::size_t>(i)] == "<|endoftext|>" && parts.eos < 0) parts.eos = i;
}

}  // namespace graft::json
