// Splitting a text into the pieces that are then merged separately (Radford et al. 2019, section 2.2): words with the space
// before them, numbers, punctuation, white space. A hand-written scanner, equal to tokenizers 0.22.2 on every code point.
#pragma once
#include <cstddef>
#include <string_view>
#include <vector>

namespace graft {

/// gpt2: the regular expression of GPT-2,
///   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+       with Unicode 16.
/// smollm: first every numeric character becomes a separate piece, then the rest is split as in gpt2.
/// unnamed: what llama.cpp does for byte-level BPE if a GGUF file does not name a pre-tokenizer, one after another
///   [\p{P}$+<=>^~|]+      then as gpt2      then \p{N}+      then [0-9][0-9][0-9]
enum class PreTokenizer { gpt2, smollm, unnamed };

/// The length in bytes of the first piece, at least 1; text must not be empty. Pieces do not depend on what precedes them. A
/// byte of ill-formed UTF-8 counts as a character that is not a letter, number or white space.
std::size_t first_piece(std::string_view text, PreTokenizer pre);

/// All pieces; concatenated they are the text.
std::vector<std::string_view> pre_tokenize(std::string_view text, PreTokenizer pre);

}  // namespace graft
