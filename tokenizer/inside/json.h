// Reading JSON that nobody vouches for: bounded depth, and errors that name the file and the key.
#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "autograd/errors.h"
#include "tokenizer/tokenizer.h"

namespace graft::json {

using Value = nlohmann::json;

/// A value and how it was reached, "tokenizer.json: model.vocab".
struct Field {
  const Value* value;
  std::string name;

  template <class... Parts>
  void check(bool ok, const Parts&... parts) const {
    expect<FormatError>(ok, name, parts...);
  }
  const Value& operator*() const { return *value; }
  /// A member; a null value if it is missing.
  Field at(const std::string& key) const;
  Field at(std::size_t index) const;
  bool null() const { return value->is_null(); }
  const std::string& text() const;
  bool flag(bool missing) const;
  TokenId id() const;
  const Field& object() const;
  const Field& array() const;
};

/// Errors: FormatError (not JSON, nested deeper than 64, a key twice in one object).
Value parse(const std::string& text, const std::string& source);

/// {"a": 0, ...} as tokens by id; ids must be 0 to n - 1, each once. extra: room for so many more ids than there are entries.
std::vector<std::string> vocabulary(const Field& vocab);
/// What a tokenizer_config.json or special_tokens_map.json says under this key: a string or {"content": string}; "" if nothing.
std::string token_name(const Field& config, const char* key);
/// Sets bos, eos, unk and pad by their names.
void read_ends(Tokenizer::Parts& parts, const Field& config);
void default_end(Tokenizer::Parts& parts);  ///< eos = <|endoftext|> if that is special

}  // namespace graft::json
