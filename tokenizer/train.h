// Training a vocabulary on texts (Sennrich et al. 2016, algorithm 1).
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "tokenizer/tokenizer.h"

namespace graft {

/// Learns merges: the most frequent neighbouring pair becomes a token, repeatedly (ties: the pair with lower ids), until
/// there are `vocabulary` tokens or no pair occurs min_count times. Ids: specials first, then the 256 bytes in the order of
/// their characters in the byte alphabet, then merges; as tokenizers' BpeTrainer with the full initial alphabet. Specials in
/// the texts are plain text. eos is <|endoftext|> if that is among the specials.
/// Errors: ValueError if the vocabulary is too small for specials and bytes, min_count is 0, or a special token is given twice,
/// is empty or is a single character of the byte alphabet.
Tokenizer train_tokenizer(const std::vector<std::string>& texts, std::size_t vocabulary, PreTokenizer pre = PreTokenizer::gpt2,
                          const std::vector<std::string>& specials = {}, std::size_t min_count = 2);

}  // namespace graft
