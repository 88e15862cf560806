// Typed steps down a JSON document; see inside/json.h.
#include "autograd/sizes.h"
#include "tokenizer/inside/json.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <unordered_map>

namespace graft::json {

namespace {

const Value nothing;
using Event = Value::parse_event_t;

/// The first duplicate key of a text known to have one.
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
  std::vector<std::size_t> keys;  // the count of each open object; a duplicate key makes it end with fewer members
  bool twice = false;
  const auto watch = [&](int depth, Event event, Value& value) {
    expect<FormatError>(depth <= 64, source, ": nested deeper than 64; tokenizer files are nested about 6 deep");
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
                        "\" is given twice in one object; readers disagree on which one counts");
    }
    return all;
  } catch (const Value::exception& error) {
    throw FormatError(source + " is not JSON: " + std::string(error.what()).substr(0, 300));  // it may quote much of the file
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
    if (!number.is_number_unsigned()) Field{&number, vocab.name + "[\"" + at.key() + "\"]"}.id();  // throws
    const auto id = number.get<std::uint64_t>();
    vocab.check(id < count, "[\"", at.key(), "\"] is ", id, ", but there are only ", count,
                " different tokens; ids must be 0, 1, 2, ...");
    vocab.check(!taken[id], ": id ", id, " is both \"", tokens[id], "\" and \"", at.key(), "\"");
    taken[id] = true;
    tokens[id] = at.key();
  }
  return tokens;
}

void put(std::vector<std::string>& tokens, TokenId id, const std::string& token, const Field& field) {
  field.check(static_cast<std::size_t>(id) == tokens.size(), " (\"", token, "\"): id ", id, ", but the next free id is ",
              tokens.size(), "; ids must be 0, 1, 2, ... without gaps");
  tokens.push_back(token);
}

namespace {

/// The content of a token that is matched literally; refuses flags that change what is matched.
const std::string& literal(const Field& token) {
  if (!token.value->is_object()) return token.text();
  const std::string& content = token.at("content").text();
  for (const char* flag : {"single_word", "lstrip", "rstrip"})
    token.check(!token.at(flag).flag(false), " (\"", content, "\") has ", flag,
                ", which is not supported: it changes what is matched");
  return content;
}

/// Tokens and their ids: those already known and those being added.
class Adding {
 public:
  explicit Adding(Tokenizer::Parts& parts) : parts_(parts) {
    for (std::size_t i = 0; i < parts.tokens.size(); ++i) ids_.emplace(parts.tokens[i], static_cast<TokenId>(i));
    literal_.insert(parts.specials.begin(), parts.specials.end());
    special_ = literal_;
    literal_.insert(parts.added.begin(), parts.added.end());
  }
  bool knows(const std::string& token) const { return ids_.count(token) != 0; }

  void add(const Field& token, bool special, TokenId wanted = -1) {
    const std::string& name = token.value->is_object() ? token.at("content").text() : token.text();
    if (name.empty()) return;
    const auto known = ids_.find(name);
    if (known != ids_.end() && (special ? special_ : literal_).count(known->second) != 0) return;
    literal(token);  // throws
    TokenId id = known != ids_.end() ? known->second : static_cast<TokenId>(parts_.tokens.size());
    if (known == ids_.end()) {
      if (wanted >= 0) id = wanted;
      put(parts_.tokens, id, name, token);
      ids_.emplace(name, id);
    }
    if (!special) {
      parts_.added.push_back(id);
    } else {
      parts_.added.erase(std::remove(parts_.added.begin(), parts_.added.end(), id), parts_.added.end());
      parts_.specials.push_back(id), special_.insert(id);
    }
    literal_.insert(id);
  }

 private:
  Tokenizer::Parts& parts_;
  std::unordered_map<std::string, TokenId> ids_;
  std::set<TokenId> literal_, special_;
};

}  // namespace

void add_named(Tokenizer::Parts& parts, const Field& config) {
  const Field decoder = config.at("added_tokens_decoder");
  std::map<TokenId, Field> by_id;
  if (!decoder.null()) {
    for (auto at = decoder.object().value->begin(); at != decoder.value->end(); ++at) {
      const Field token{&at.value(), decoder.name + "." + at.key()};
      const bool number =
          !at.key().empty() && at.key().size() < 10 && at.key().find_first_not_of("0123456789") == std::string::npos;
      token.check(number, ": the key must be a token's id");
      token.object();
      by_id.emplace(static_cast<TokenId>(std::stol(at.key())), token);
    }
  }
  Adding adding(parts);
  for (const auto& [id, token] : by_id) {
    const std::string& name = token.at("content").text();
    const auto at = static_cast<std::size_t>(id);
    token.check(!adding.knows(name) || (at < parts.tokens.size() && parts.tokens[at] == name), " is \"", name,
                "\", which has another id in the vocabulary");
    adding.add(token, token.at("special").flag(false), id);
  }
  for (const char* key : {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"})
    if (const Field token = config.at(key); !token.null()) adding.add(token, true);
  for (const char* key : {"additional_special_tokens", "extra_special_tokens"}) {
    const Field more = config.at(key);
    if (more.null()) continue;
    const bool named = more.value->is_object();
    if (!named) more.array();
    for (auto at = more.value->begin(); at != more.value->end(); ++at) adding.add(Field{&*at, more.name}, true);
  }
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

void keep(Tokenizer::Parts& parts, const std::string& config, const std::string& special_map,
          const std::string& chat_template) {
  if (!config.empty()) parts.beside[names::config] = config;
  if (!special_map.empty()) parts.beside[names::special_map] = special_map;
  if (!chat_template.empty()) parts.beside[names::chat_template] = parts.chat_template = chat_template;
}

std::string chat_template(const Field& config) {
  const Field all = config.at("chat_template");
  if (all.null()) return "";
  if (!all.value->is_array()) return all.text();
  for (std::size_t i = 0; i < all.value->size(); ++i)
    if (all.at(i).at("name").text() == "default") return all.at(i).at("template").text();
  return "";
}

void default_end(Tokenizer::Parts& parts) {
  for (const TokenId i : parts.specials)
    if (nth(parts.tokens, i) == "<|endoftext|>" && parts.eos < 0) parts.eos = i;
}

}  // namespace graft::json
