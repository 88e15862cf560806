// Tokenizers in files: Hugging Face's tokenizer.json, and GPT-2's vocab.json + merges.txt. What would make ids differ from
// ours and is not supported is an error that says so; truncation, padding and post-processors are never applied.
#pragma once
#include <string>

#include "tokenizer/tokenizer.h"

namespace graft {

/// A tokenizer.json with a BPE model over bytes. Pre-tokenizers: ByteLevel; Digits (each by itself), ByteLevel; Split by GPT-2's
/// expression, ByteLevel; each without add_prefix_space; and PreTokenizer::unnamed as to_json() writes it. `config`, `special_map`
/// and `chat_template`, if not empty, are the texts of a tokenizer_config.json, a special_tokens_map.json and a
/// chat_template.jinja. The first two name bos, eos, unk, pad and other special tokens, and what they name that the vocabulary
/// lacks gets the next ids, as in transformers (where the first has added_tokens_decoder, the second is not asked). Without both,
/// eos is the special token <|endoftext|>, if there is one. Errors: FormatError names `source` and the key.
Tokenizer from_json(const std::string& text, const std::string& source, const std::string& config = "",
                    const std::string& special_map = "", const std::string& chat_template = "");
/// Errors: FormatError if a token is not UTF-8.
std::string to_json(const Tokenizer& tokenizer);

/// vocab.json (token -> id) and merges.txt ("Ġ t", one a line, after an optional #version). Special tokens are those that
/// `config` (tokenizer_config.json), `special_map` (special_tokens_map.json) and `added` (added_tokens.json) name, any of which
/// may be empty; if none does, <|endoftext|>. add_bos_token in `config` puts bos before a text (parts().before).
Tokenizer from_vocab_and_merges(const std::string& vocab, const std::string& merges, const std::string& source,
                                const std::string& config = "", const std::string& special_map = "",
                                const std::string& added = "", const std::string& chat_template = "");

/// A tokenizer.json, or a folder with one or with vocab.json + merges.txt; the small files beside it are read too.
/// Errors: FileError, FormatError.
Tokenizer load_tokenizer(const std::string& path);
/// As tokenizer.json, whole or not at all. Into a folder go the small files beside it as well: a tokenizer_config.json with what
/// the one that was read said (chat_template, model_max_length, ...) and bos, eos, unk, pad, and the others of parts().beside.
void save_tokenizer(const Tokenizer& tokenizer, const std::string& path);

}  // namespace graft
