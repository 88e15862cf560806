// Tokenizers in files: Hugging Face's tokenizer.json, and GPT-2's vocab.json + merges.txt. What would make ids differ from
// ours and is not supported is an error that says so; truncation, padding and post-processors are never applied.
#pragma once
#include <string>

#include "tokenizer/tokenizer.h"

namespace graft {

/// A tokenizer.json with a BPE model over bytes. Pre-tokenizers: ByteLevel; Digits (each by itself), ByteLevel; Split by GPT-2's
/// expression, ByteLevel; each without add_prefix_space. `config`, if not empty, is the text of a tokenizer_config.json: it
/// names bos, eos, unk and pad. Otherwise eos is the special token <|endoftext|>, if there is one.
/// Errors: FormatError names `source` and the key.
Tokenizer from_json(const std::string& text, const std::string& source, const std::string& config = "");
/// Errors: FormatError if a token is not UTF-8.
std::string to_json(const Tokenizer& tokenizer);

/// vocab.json (token -> id) and merges.txt ("Ġ t", one a line, after an optional #version). Special tokens are those that
/// `config` (tokenizer_config.json), `special_map` (special_tokens_map.json) and `added` (added_tokens.json) name, any of which
/// may be empty; if none does, <|endoftext|>.
Tokenizer from_vocab_and_merges(const std::string& vocab, const std::string& merges, const std::string& source,
                                const std::string& config = "", const std::string& special_map = "",
                                const std::string& added = "");

/// A tokenizer.json, or a folder with one or with vocab.json + merges.txt; the small files beside it are read too.
/// Errors: FileError, FormatError.
Tokenizer load_tokenizer(const std::string& path);
/// As tokenizer.json, whole or not at all. Into a folder goes a tokenizer_config.json as well, which keeps bos, eos, unk, pad.
void save_tokenizer(const Tokenizer& tokenizer, const std::string& path);

}  // namespace graft
