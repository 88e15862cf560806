// Decoding while ids arrive: what is given out is never taken back.
#pragma once
#include <string>
#include <vector>

#include "tokenizer/tokenizer.h"

namespace graft {

/// Turns ids into text as they come: never half a UTF-8 character, and nothing of a stop string. All that push() and finish()
/// give is decode() of the ids, cut where the first stop string begins. Of stops that overlap the one that begins first
/// counts, so stopped() may wait for the next token to rule out an earlier beginning.
class TextStream {
 public:
  /// The tokenizer must outlive the stream. Errors: ValueError for a stop string that is empty or not UTF-8.
  explicit TextStream(const Tokenizer& tokenizer, std::vector<std::string> stops = {}, bool skip_specials = true);
  std::string push(TokenId id);              ///< the text that is now certain. Errors: IndexError for a negative id
  std::string finish();                      ///< the rest: ill-formed bytes become U+FFFD
  bool stopped() const { return stopped_; }  ///< a stop string has appeared; what follows it is not given out

 private:
  std::string release(bool all);
  const Tokenizer* tokenizer_;
  std::vector<std::string> stops_;
  bool skip_specials_, stopped_ = false;
  std::string bytes_;  ///< the beginning of a character
  std::string held_;   ///< what may be the beginning of a stop string
};

}  // namespace graft
