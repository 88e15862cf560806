// Tokenizer files: Hugging Face's tokenizer.json, and GPT-2's vocab.json + merges.txt. An unsupported setting that would
// change ids is an error; truncation, padding and post-processors are never applied.
#pragma once
#include <string>

#include "tokenizer/tokenizer.h"

namespace graft {

/// A tokenizer.json with a BPE model over bytes. Pre-tokenizers: ByteLevel; Digits (individual), ByteLevel; Split by GPT-2's
/// expression, ByteLevel; each without add_prefix_space; and PreTokenizer::unnamed as to_json() writes it. `config`,
/// `special_map` and `chat_template`, if not empty, are the texts of a tokenizer_config.json, a special_tokens_map.json and a
/// chat_template.jinja. The first two name bos, eos, unk, pad and other special tokens; those that the vocabulary lacks get
/// the next ids, as in transformers (which ignores the second if the first has added_tokens_decoder). Without both, eos is the
/// special token <|endoftext|>, if there is one. Errors: FormatError names `source` and the key.
Tokenizer from_json(const std::string& text, const std::string& source, const std::string& config = "",
                    const std::string& special_map = "", const std::string& chat_template = "");
/// Errors: FormatError if a token is not UTF-8.
std::string to_json(const Tokenizer& tokenizer);

/// vocab.json (token -> id) and merges.txt ("Ġ t", one a line, after an optional #version). Special tokens are those named
/// by `config` (tokenizer_config.json), `special_map` (special_tokens_map.json) and `added` (added_tokens.json), any of which
/// may be empty; if they name none, <|endoftext|>. add_bos_token in `config` puts bos before a text (parts().before).
Tokenizer from_vocab_and_merges(const std::string& vocab, const std::string& merges, const std::string& source,
                                const std::string& config = "", const std::string& special_map = "",
                                const std::string& added = "", const std::string& chat_template = "");

/// A tokenizer.json, or a folder with one or with vocab.json + merges.txt; the small files beside it are read too.
/// Errors: FileError, FormatError.
Tokenizer load_tokenizer(const std::string& path);
/// Writes a tokenizer.json, completely or not at all. If path is a folder, writes the small files beside it as well: a
/// tokenizer_config.json with the settings read (chat_template, model_max_length, ...) and bos, eos, unk, pad; parts().beside.
void save_tokenizer(const Tokenizer& tokenizer, const std::string& path);

}  // namespace graft
