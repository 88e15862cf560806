// Decoding while ids arrive: text that was returned is never taken back.
#pragma once
#include <string>
#include <vector>

#include "tokenizer/tokenizer.h"

namespace graft {

/// Turns ids into text as they arrive: never part of a UTF-8 character, and no part of a stop string. The results of push()
/// and finish() together are decode() of the ids, cut where the first stop string begins. Of overlapping stops the one that
/// begins first counts, so stopped() may wait for the next token to rule out an earlier one.
class TextStream {
 public:
  /// The tokenizer must outlive the stream. Errors: ValueError for a stop string that is empty or not UTF-8.
  explicit TextStream(const Tokenizer& tokenizer, std::vector<std::string> stops = {}, bool skip_specials = true);
  std::string push(TokenId id);              ///< the text that is now final. Errors: IndexError for a negative id
  std::string finish();                      ///< the rest: ill-formed bytes become U+FFFD
  bool stopped() const { return stopped_; }  ///< a stop string has appeared; the text from there on is not returned

 private:
  std::string release(bool all);
  const Tokenizer* tokenizer_;
  std::vector<std::string> stops_;
  bool skip_specials_, stopped_ = false;
  std::string bytes_;  ///< an incomplete character
  std::string held_;   ///< what may be the beginning of a stop string
};

}  // namespace graft
