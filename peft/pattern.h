// Where virtual tokens go: a row of pieces, such as "[v][v] {sentence} [v] it was [answer]" (P-tuning's templates), or plain
// virtual tokens before the sentence (prompt tuning).
#pragma once
#include <string>
#include <vector>

#include "autograd/tensor.h"
#include "tokenizer/tokenizer.h"

namespace graft::peft {

struct Piece {
  enum class Kind { virtual_tokens, words, sentence, answer };
  Kind kind;
  Index count = 0;        ///< of virtual tokens
  std::vector<Id> ids{};  ///< of words
};
using Pattern = std::vector<Piece>;

Pattern prompt_pattern(Index length);         ///< virtual tokens, sentence, answer
Index virtual_count(const Pattern& pattern);  ///< P
/// [v] is a virtual token, [v]*3 three, {sentence} the user's ids, [answer] what is to be said; all else is words for the
/// tokenizer. Errors: as check_pattern(); ValueError for a bracket that means nothing.
Pattern parse_pattern(const std::string& text, const Tokenizer& tokenizer);
/// Errors: ValueError unless there is one sentence, one answer, at the end, and a virtual token.
void check_pattern(const Pattern& pattern);
std::string shown(const Pattern& pattern);  ///< "[v]*2 {sentence} <3 words> [answer]"

}  // namespace graft::peft
