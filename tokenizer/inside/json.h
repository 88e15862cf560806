// Reading untrusted JSON: bounded depth, and errors that name the file and the key.
#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "autograd/errors.h"
#include "tokenizer/tokenizer.h"

namespace graft {

/// Files beside a tokenizer.json.
namespace names {
inline constexpr const char *config = "tokenizer_config.json", *special_map = "special_tokens_map.json",
                            *chat_template = "chat_template.jinja";
}

}  // namespace graft

namespace graft::json {

using Value = nlohmann::json;

/// A value and its path, "tokenizer.json: model.vocab".
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

/// {"a": 0, ...} as tokens by id; ids must be 0 to n - 1, each once.
std::vector<std::string> vocabulary(const Field& vocab);
/// Adds a token with the id that the file gives it. Errors: FormatError if that is not the next one: tokenizers would still
/// assign the next id, and a model that was trained with the id in the file would see another token.
void put(std::vector<std::string>& tokens, TokenId id, const std::string& token, const Field& field);
/// The special tokens that a tokenizer_config.json names, as transformers adds them: those missing from the vocabulary get the
/// next ids, in the order of added_tokens_decoder, then bos, eos, unk, sep, pad, cls, mask, then the others.
void add_named(Tokenizer::Parts& parts, const Field& config);
/// The token under this key of a tokenizer_config.json or special_tokens_map.json: a string or {"content": string}; "" if none.
std::string token_name(const Field& config, const char* key);
/// Keeps the files in parts.beside, and the template: its own file overrides tokenizer_config.json, as in transformers.
void keep(Tokenizer::Parts& parts, const std::string& config, const std::string& special_map, const std::string& chat_template);
/// Sets bos, eos, unk and pad by their names.
void read_ends(Tokenizer::Parts& parts, const Field& config);
std::string chat_template(const Field& config);  ///< "chat_template": a text, or of several the one named "default"; "" if none
void default_end(Tokenizer::Parts& parts);       ///< eos = <|endoftext|> if that is a special token

}  // namespace graft::json
