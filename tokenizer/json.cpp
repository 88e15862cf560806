// Typed steps down a JSON document; see inside/json.h.
#include "tokenizer/inside/json.h"

#include <algorithm>
#include <limits>
#include <set>

namespace graft::json {

namespace {

const Value nothing;
using Event = Value::parse_event_t;

/// Of a text known to have one.
std::string key_given_twice(const std::string& text) {
  std::vector<std::set<std::string>> open;
  std::string found;
  const Value::parser_callback_t look = [&](int, Event event, Value& value) {
    if (event == Event::object_start) open.emplace_back();
    if (event == Event::object_end) open.pop_back();
    if (event == Event::key && !open.back().insert(value.get<std::string>()).second) found = value.get<std::string>();
    return true;
  };
  const Value same = Value::parse(text, look);
  return found;
}

}  // namespace

Value parse(const std::string& text, const std::string& source) {
  std::vector<std::size_t> keys;  // so many has each object that is open; a key given twice makes it end with fewer members
  bool twice = false;
  const auto watch = [&](int depth, Event event, Value& value) {
    expect<FormatError>(depth <= 64, source, ": nested deeper than 64; a tokenizer's file is nested about 6 deep");
    if (event == Event::object_start) keys.push_back(0);
    if (event == Event::key) ++keys.back();
    if (event == Event::object_end) {
      twice = twice || keys.back() != value.size();
      keys.pop_back();
    }
    return true;
  };
  try {
    Value all = Value::parse(text, watch);
    if (twice) {
      throw FormatError(source + ": the key \"" + key_given_twice(text) +
                        "\" is given twice in one object; readers would differ about which counts");
    }
    return all;
  } catch (const Value::exception& error) {
    throw FormatError(source + " is not JSON: " + std::string(error.what()).substr(0, 300));  // it may quote the file at length
  }
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
    const Value& number = at.value();
    if (!number.is_number_unsigned()) Field{&number, vocab.name + "[\"" + at.key() + "\"]"}.id();  // complains
    const auto id = number.get<std::uint64_t>();
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
    const auto id = std::find(parts.tokens.begin(), parts.tokens.end(), token) - parts.tokens.begin();
    config.check(static_cast<std::size_t>(id) < parts.tokens.size(), ": ", end.first, " is \"", token,
                 "\", which is not in the vocabulary");
    *end.second = static_cast<TokenId>(id);
  }
}

void default_end(Tokenizer::Parts& parts) {
  for (const TokenId i : parts.specials)
    if (parts.tokens[static_cast<std::size_t>(i)] == "<|endoftext|>" && parts.eos < 0) parts.eos = i;
}

}  // namespace graft::json
