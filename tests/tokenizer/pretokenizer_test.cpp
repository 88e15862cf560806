// Pieces of texts, and the kind of every Unicode character, as Hugging Face's pre-tokenizers have them.
#include "tokenizer/pretokenizer.h"

#include "tests/tokenizer/fixture.h"

namespace graft {
namespace {

using fixture::Json;
using Pieces = std::vector<std::string>;

Pieces pieces(const std::string& text, PreTokenizer pre) {
  const auto views = pre_tokenize(text, pre);
  return Pieces(views.begin(), views.end());
}

std::string utf8(unsigned point) {
  std::string out;
  if (point < 0x80) return std::string(1, static_cast<char>(point));
  const int more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
  out += static_cast<char>((0xFF00 >> (more + 1) & 0xFF) | point >> 6 * more);
  for (int i = more - 1; i >= 0; --i) out += static_cast<char>(0x80 | (point >> 6 * i & 0x3F));
  return out;
}

TEST(PreTokenizer, CutsAsHuggingFaceDoes) {
  for (const Json& one : fixture::all().at("pieces"))
    for (const char* name : {"gpt2", "smollm"})
      EXPECT_EQ(pieces(one.at("text"), fixture::pre(name)), one.at(name).get<Pieces>()) << name << ": " << one.at("text");
}

/// l, n, o: with a letter, a number, a sign it makes one piece; n also: it is a piece by itself; s: none of these.
char kind(const std::string& character, PreTokenizer pre) {
  if (pre == PreTokenizer::smollm && pre_tokenize(character + character, pre).size() == 2) return 'n';
  for (const char* mate : {"al", "1n", "!o"})
    if (first_piece(mate[0] + character, pre) == 1 + character.size()) return mate[1];
  return 's';
}

TEST(PreTokenizer, KnowsEveryCharacter) {
  const Json& runs = fixture::all().at("kinds");
  std::size_t wrong = 0, run = 0;
  for (unsigned point = 0; point < 0x110000; ++point) {
    if (point >= 0xD800 && point < 0xE000) continue;
    while (run + 1 < runs.size() && runs[run + 1][0].get<unsigned>() <= point) ++run;
    const std::string character = utf8(point), expected = runs[run][1];
    const std::string found = {kind(character, PreTokenizer::gpt2), kind(character, PreTokenizer::smollm)};
    if (found != expected && ++wrong < 10)
      ADD_FAILURE() << "U+" << std::hex << point << " is " << found << ", not " << expected;
  }
  EXPECT_EQ(wrong, 0u);
}

TEST(PreTokenizer, PiecesAreTheWholeText) {
  fixture::Random random(5);
  const std::string letters = "ab12 \n'sl!\xC3\xA9\xE6\x9C\xA8\xF0\x9F\x98\x80\xFF\xC2\xA0";  // also cut characters
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (std::size_t length = 1 + random() % 30; length > 0; --length) text += letters[random() % letters.size()];
    for (const PreTokenizer pre : {PreTokenizer::gpt2, PreTokenizer::smollm}) {
      std::string all;
      for (const std::string& piece : pieces(text, pre)) {
        EXPECT_FALSE(piece.empty());
        all += piece;
      }
      EXPECT_EQ(all, text);
    }
  }
}

TEST(PreTokenizer, IllFormedBytesAreSigns) {
  const struct {
    std::string text;
    Pieces expected;
  } table[] = {
      {"a\xFF!b", {"a", "\xFF!", "b"}},
      {"\xE6\x9C", {"\xE6\x9C"}},
      {"a\xC3", {"a", "\xC3"}},
      {" \xED\xA0\x80 x", {" \xED\xA0\x80", " x"}},
      {"1\xC0\xAF 2", {"1", "\xC0\xAF", " 2"}},
  };
  for (const auto& row : table) EXPECT_EQ(pieces(row.text, PreTokenizer::gpt2), row.expected);
}

}  // namespace
}  // namespace graft
