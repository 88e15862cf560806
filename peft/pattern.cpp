#include "peft/pattern.h"

#include "autograd/errors.h"

namespace graft::peft {

Pattern prompt_pattern(Index length) {
  return {{Piece::Kind::virtual_tokens, length}, {Piece::Kind::sentence}, {Piece::Kind::answer}};
}

Index virtual_count(const Pattern& pattern) {
  Index count = 0;
  for (const Piece& piece : pattern) count += piece.count;
  return count;
}

std::string shown(const Pattern& pattern) {
  std::string all;
  for (const Piece& piece : pattern) {
    if (!all.empty()) all += " ";
    switch (piece.kind) {
      case Piece::Kind::virtual_tokens: all += text("[v]*", piece.count); break;
      case Piece::Kind::words: all += text("<", piece.ids.size(), " words>"); break;
      case Piece::Kind::sentence: all += "{sentence}"; break;
      case Piece::Kind::answer: all += "[answer]"; break;
    }
  }
  return all;
}

void check_pattern(const Pattern& pattern) {
  int sentences = 0, answers = 0;
  for (const Piece& piece : pattern) {
    sentences += piece.kind == Piece::Kind::sentence;
    answers += piece.kind == Piece::Kind::answer;
    expect<ValueError>(piece.count >= 0, "template: ", piece.count, " virtual tokens");
  }
  const std::string all = shown(pattern);
  const char* form = "; for example: [v][v] {sentence} [v] it was [answer]";
  expect<ValueError>(sentences == 1, "template \"", all, "\" has ", sentences, " places for the {sentence}, but needs one",
                     form);
  expect<ValueError>(answers == 1, "template \"", all, "\" has ", answers, " places for the [answer], but needs one", form);
  expect<ValueError>(pattern.back().kind == Piece::Kind::answer, "template \"", all,
                     "\" goes on after the [answer], which a model that reads left to right never sees; put it last", form);
  expect<ValueError>(virtual_count(pattern) > 0, "template \"", all, "\" has no virtual token [v] to train", form);
}

Pattern parse_pattern(const std::string& text_, const Tokenizer& tokenizer) {
  Pattern pattern;
  std::string words;
  const auto flush = [&] {
    while (!words.empty() && words.back() == ' ') words.pop_back();  // the space belongs to what comes next
    if (words.empty()) return;
    Piece piece{Piece::Kind::words};
    for (const TokenId id : tokenizer.encode(words)) piece.ids.push_back(static_cast<Id>(id));
    pattern.push_back(piece);
    words.clear();
  };
  const auto at = [&](std::size_t i, const char* mark) { return text_.compare(i, std::string(mark).size(), mark) == 0; };
  for (std::size_t i = 0; i < text_.size();) {
    if (at(i, "[v]")) {
      flush();
      i += 3;
      Index count = 1;
      const auto digit = [&](std::size_t k) { return k < text_.size() && '0' <= text_[k] && text_[k] <= '9'; };
      if (i < text_.size() && text_[i] == '*' && digit(i + 1))
        for (count = 0, ++i; digit(i); ++i) {
          count = 10 * count + (text_[i] - '0');
          expect<ValueError>(count < 1000000, "template \"", text_, "\": [v]* and a number of 1000000 or more; at most 999999 ",
                             "virtual tokens are understood");
        }
      if (!pattern.empty() && pattern.back().kind == Piece::Kind::virtual_tokens) pattern.back().count += count;
      else pattern.push_back({Piece::Kind::virtual_tokens, count});
      while (i < text_.size() && text_[i] == ' ' && (at(i + 1, "[") || at(i + 1, "{"))) ++i;
    } else if (at(i, "{sentence}")) {
      flush();
      pattern.push_back({Piece::Kind::sentence});
      i += 10;
    } else if (at(i, "[answer]")) {
      flush();
      pattern.push_back({Piece::Kind::answer});
      i += 8;
    } else {
      expect<ValueError>(text_[i] != '[' && text_[i] != '{', "template \"", text_, "\": what does the bracket at byte ", i,
                         " mean? Known are [v], [v]*3, {sentence} and [answer]");
      words += text_[i++];
    }
  }
  flush();
  check_pattern(pattern);
  return pattern;
}

}  // namespace graft::peft
