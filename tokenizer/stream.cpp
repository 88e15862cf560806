#include "tokenizer/stream.h"

#include <algorithm>

#include "autograd/errors.h"
#include "autograd/utf8.h"

namespace graft {

TextStream::TextStream(const Tokenizer& tokenizer, std::vector<std::string> stops, bool skip_specials)
    : tokenizer_(&tokenizer),
      stops_(std::move(stops)),
      skip_specials_(skip_specials) {
  for (const std::string& stop : stops_) {
    expect<ValueError>(!stop.empty(), "TextStream: a stop string is empty; leave it out");
    std::string repaired;
    utf8::append_repaired(repaired, stop);
    expect<ValueError>(repaired == stop, "TextStream: a stop string is not UTF-8, so no text can contain it");
  }
}

std::string TextStream::push(TokenId id) {
  if (id >= 0 && static_cast<std::size_t>(id) >= tokenizer_->size()) return "";  // a model's row beyond the vocabulary
  tokenizer_->token(id);                                                         // throws for a negative id
  if (stopped_ || (skip_specials_ && tokenizer_->is_special(id))) return "";
  bytes_ += tokenizer_->bytes(id);
  return release(false);
}

std::string TextStream::finish() { return stopped_ ? "" : release(true); }

std::string TextStream::release(bool all) {
  bytes_.erase(0, utf8::append_repaired(held_, bytes_, all));
  for (std::size_t at = 0; at < held_.size(); ++at)
    for (const std::string& stop : stops_) {
      const std::size_t length = std::min(stop.size(), held_.size() - at);
      if (held_.compare(at, length, stop, 0, length) != 0 || (length < stop.size() && all)) continue;
      const bool complete = std::any_of(stops_.begin(), stops_.end(),
                                        [&](const std::string& other) { return held_.compare(at, other.size(), other) == 0; });
      std::string certain = held_.substr(0, at);
      stopped_ = complete;
      held_.erase(0, complete ? std::string::npos : at);
      return certain;
    }
  std::string certain;
  certain.swap(held_);
  return certain;
}

}  // namespace graft
