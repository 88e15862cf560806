// From each position where a token may begin, a range of the sorted tokens is narrowed byte by byte.
#include "tokenizer/inside/added.h"

#include <algorithm>

namespace graft::bpe {

AddedTokens::AddedTokens(std::vector<std::pair<std::string, std::int32_t>> tokens) : tokens_(std::move(tokens)) {
  std::sort(tokens_.begin(), tokens_.end());
  for (const auto& token : tokens_) begins_[static_cast<unsigned char>(token.first[0])] = true;
}

AddedTokens::Found AddedTokens::find(std::string_view text, std::size_t from) const {
  for (std::size_t at = from; at < text.size(); ++at) {
    if (!begins_[static_cast<unsigned char>(text[at])]) continue;
    Found longest{at, 0, -1};
    auto first = tokens_.begin(), last = tokens_.end();  // the tokens that match the text so far
    for (std::size_t length = 0; at + length < text.size() && first != last; ++length) {
      // all tokens in the range are longer than `length` bytes: a shorter one was removed below
      const auto byte = static_cast<unsigned char>(text[at + length]);
      const auto at_length = [length](const auto& token) { return static_cast<unsigned char>(token.first[length]); };
      first = std::partition_point(first, last, [&](const auto& token) { return at_length(token) < byte; });
      last = std::partition_point(first, last, [&](const auto& token) { return at_length(token) == byte; });
      if (first != last && first->first.size() == length + 1) {
        longest = {at, length + 1, first->second};
        ++first;
      }
    }
    if (longest.id >= 0) return longest;
  }
  return {text.size(), 0, -1};
}

}  // namespace graft::bpe
