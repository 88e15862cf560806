#include "tokenizer/pretokenizer.h"

#include <array>

#include "autograd/utf8.h"
#include "tokenizer/inside/unicode.h"

namespace graft {

namespace {

using unicode::Kind;

constexpr std::array<Kind, 128> make_ascii() {
  std::array<Kind, 128> kinds{};
  for (int c = 0; c < 128; ++c) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool is_space = c == ' ' || (c >= 9 && c <= 13);
    kinds[c] = is_letter              ? unicode::letter
               : c >= '0' && c <= '9' ? unicode::number
               : is_space             ? unicode::space
                                      : unicode::other;
  }
  return kinds;
}
constexpr std::array<Kind, 128> ascii = make_ascii();

struct Character {
  Kind kind;
  std::size_t length;
};

/// The kind of a character: later_number is number for smollm and other for gpt2.
template <PreTokenizer pre>
Character front(std::string_view text, std::size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte < 128) return {ascii[byte], 1};
  const utf8::Character c = utf8::front(text.substr(at));
  if (c.point == utf8::Character::none) return {unicode::other, 1};
  const Kind kind = unicode::kind(c.point);
  if (kind == unicode::later_number) return {pre == PreTokenizer::smollm ? unicode::number : unicode::other, c.length};
  return {kind, c.length};
}

/// 's 't 'm 'd 're 've 'll: its length, or 0.
std::size_t contraction(std::string_view text) {
  if (text.size() < 2) return 0;
  const char a = text[1], b = text.size() > 2 ? text[2] : '\0';
  if (a == 's' || a == 't' || a == 'm' || a == 'd') return 2;
  return (a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l') ? 3 : 0;
}

template <PreTokenizer pre>
std::size_t cut(std::string_view text) {
  constexpr bool digits_apart = pre == PreTokenizer::smollm;
  if (text[0] == '\'') {
    if (const std::size_t length = contraction(text)) return length;
  }
  Character c = front<pre>(text, 0);
  std::size_t at = c.length;
  if (digits_apart && c.kind == unicode::number) return at;
  if (text[0] == ' ' && text.size() > 1) {  // " ?" includes one space, unless more white space follows or the piece ends
    const Character next = front<pre>(text, 1);
    if (next.kind != unicode::space && !(digits_apart && next.kind == unicode::number)) {
      c = next;
      at += c.length;
    }
  }
  std::size_t last = c.length;  // start of the run's last character
  while (at < text.size()) {
    const Character next = front<pre>(text, at);
    if (next.kind != c.kind) {
      // \s+(?!\S): white space leaves its last character to the word that follows, unless it is the only one
      const bool word_follows = c.kind == unicode::space && !(digits_apart && next.kind == unicode::number);
      return word_follows && at > last ? at - last : at;
    }
    at += last = next.length;
  }
  return at;
}

/// The length up to the first run of three ASCII digits, or of these three.
std::size_t digits(std::string_view numbers) {
  const auto digit = [&](std::size_t i) { return numbers[i] >= '0' && numbers[i] <= '9'; };
  for (std::size_t i = 0; i + 3 <= numbers.size(); ++i)
    if (digit(i) && digit(i + 1) && digit(i + 2)) return i == 0 ? 3 : i;
  return numbers.size();
}

/// The length of the run of characters at the beginning for which `is` gives `wanted`.
template <class Is>
std::size_t run(std::string_view text, bool wanted, const Is& is) {
  std::size_t at = 0;
  while (at < text.size() && is(text, at) == wanted) at += front<PreTokenizer::gpt2>(text, at).length;
  return at;
}

std::size_t cut_unnamed(std::string_view text) {
  const auto mark = [](std::string_view all, std::size_t at) {
    const auto byte = static_cast<unsigned char>(all[at]);
    if (byte < 128) return byte > ' ' && byte < 127 && byte != '`' && ascii[byte] == unicode::other;
    return unicode::punctuation(utf8::front(all.substr(at)).point);
  };
  const auto number = [](std::string_view all, std::size_t at) {
    return front<PreTokenizer::gpt2>(all, at).kind == unicode::number;
  };
  if (mark(text, 0)) return run(text, true, mark);  // gpt2's expression also makes it one piece
  std::string_view piece = text.substr(0, run(text, false, mark));
  piece = piece.substr(0, cut<PreTokenizer::gpt2>(piece));
  piece = piece.substr(0, run(piece, number(piece, 0), number));
  return number(piece, 0) ? digits(piece) : piece.size();
}

}  // namespace

std::size_t first_piece(std::string_view text, PreTokenizer pre) {
  if (pre == PreTokenizer::unnamed) return cut_unnamed(text);
  return pre == PreTokenizer::smollm ? cut<PreTokenizer::smollm>(text) : cut<PreTokenizer::gpt2>(text);
}

std::vector<std::string_view> pre_tokenize(std::string_view text, PreTokenizer pre) {
  std::vector<std::string_view> pieces;
  while (!text.empty()) {
    pieces.push_back(text.substr(0, first_piece(text, pre)));
    text.remove_prefix(pieces.back().size());
  }
  return pieces;
}

}  // namespace graft
