// The vocabulary in a GGUF file (keys tokenizer.ggml.*), as plain values that the reader of the file passes in.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "tokenizer/tokenizer.h"

namespace graft {

struct GgufVocabulary {
  std::string model = "gpt2";       ///< tokenizer.ggml.model
  std::string pre;                  ///< tokenizer.ggml.pre: smollm; gpt-2 or gpt2; default or empty: PreTokenizer::unnamed
  std::vector<std::string> tokens;  ///< tokenizer.ggml.tokens
  std::vector<std::int32_t> types;  ///< tokenizer.ggml.token_type, one per token or empty: 3 control, 4 user-defined, ...
  std::vector<std::string> merges;  ///< tokenizer.ggml.merges, "Ġ t"
  std::int64_t bos = -1, eos = -1, unk = -1, pad = -1;  ///< -1: the file has no such key
  bool add_bos = false, add_eos = false;                ///< tokenizer.ggml.add_bos_token, .._eos_..: parts().before, .after
  std::string chat_template;                            ///< tokenizer.chat_template
  std::int64_t context = 0;                             ///< for model_max_length; 0: unknown
  std::string source;                                   ///< for messages: the file
};

/// Control (3) and unknown (2) tokens become special, user-defined ones (4) are always matched.
/// Errors: FormatError names the source and the key.
Tokenizer from_gguf(GgufVocabulary vocabulary);

}  // namespace graft
