// Text to ids: equal to Hugging Face's on tricky texts, equal to a slow version on long ones, and nothing lost on any bytes.
#include <algorithm>
#include <thread>

#include "tests/tokenizer/fixture.h"

namespace graft {
namespace {

using fixture::Ids;
using fixture::Json;

TEST(Encode, GivesTheIdsOfHuggingFace) {
  for (const Json& row : fixture::all().at("tokenizers")) {
    const Tokenizer tokenizer = fixture::tokenizer(row.at("name"));
    for (const Json& one : row.at("cases")) {
      const std::string text = one.at("text");
      SCOPED_TRACE(row.at("name").get<std::string>() + ": " + one.at("text").dump());
      const Ids parsed = one.at("parse");
      std::size_t dropped = 0;
      EXPECT_EQ(tokenizer.encode(text, Specials::parse, &dropped), parsed);
      if (row.at("name") == "smollm") {
        EXPECT_EQ(dropped, one.value("dropped", dropped));
      } else {
        EXPECT_EQ(dropped, 0u);
      }
      EXPECT_EQ(tokenizer.encode(text), one.value("as_text", parsed));
    }
  }
}

/// Sennrich et al. 2016, algorithm 1, as it is written: among all pairs the one of lowest rank, the leftmost first.
Ids merged_slowly(const Tokenizer& tokenizer, const std::string& piece) {
  std::vector<std::string> symbols;
  for (const char byte : piece)
    for (std::size_t i = 0; i < tokenizer.size(); ++i)
      if (tokenizer.bytes(static_cast<TokenId>(i)) == std::string(1, byte)) {
        symbols.push_back(tokenizer.token(static_cast<TokenId>(i)));
        break;
      }
  const auto& merges = tokenizer.parts().merges;
  while (true) {
    std::size_t best = merges.size(), at = 0;
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
      const auto rank = std::find(merges.begin(), merges.end(), std::make_pair(symbols[i], symbols[i + 1])) - merges.begin();
      if (static_cast<std::size_t>(rank) < best) best = static_cast<std::size_t>(rank), at = i;
    }
    if (best == merges.size()) break;
    symbols[at] += symbols[at + 1];
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  }
  Ids ids;
  for (const std::string& symbol : symbols) ids.push_back(tokenizer.id(symbol));
  return ids;
}

TEST(Encode, PiecesOfAnyLengthAreMergedAsTheAlgorithmSays) {
  const Tokenizer tokenizer = fixture::tokenizer("gpt2");
  fixture::Random random(1);
  const std::string letters = "aabbabtheranchsorkd";
  for (std::size_t length = 1; length < 90; ++length) {
    std::string piece;
    for (std::size_t i = 0; i < length; ++i) piece += letters[random() % letters.size()];
    EXPECT_EQ(tokenizer.encode(piece), merged_slowly(tokenizer, piece)) << piece;
  }
}

TEST(Encode, LongTextsAreEncodedPieceByPiece) {
  for (const char* name : {"gpt2", "smollm"}) {  // long texts remember pieces, short ones do not
    const Tokenizer tokenizer = fixture::tokenizer(name);
    fixture::Random random(2);
    const Json& cases = fixture::row(name).at("cases");
    std::string text;
    while (text.size() < 60000) text += cases[random() % cases.size()].at("text").get<std::string>();
    Ids ids;
    std::size_t dropped = 0, lost = 0;
    for (const std::string_view piece : pre_tokenize(text, tokenizer.parts().pre)) {
      const Ids more = tokenizer.encode(piece, Specials::as_text, &dropped);
      ids.insert(ids.end(), more.begin(), more.end());
      lost += dropped;
    }
    EXPECT_EQ(tokenizer.encode(text, Specials::as_text, &dropped), ids) << name;
    EXPECT_EQ(dropped, lost);
    EXPECT_EQ(dropped > 0, std::string(name) == "smollm");
  }
}

/// These would take hours if merging took time quadratic in a piece's length.
TEST(Encode, LongPiecesTakeNoLongTime) {
  const Tokenizer tokenizer = fixture::tokenizer("gpt2");
  for (const char* part : {"a", "ab", " ", "\n", "!", "\x04", "the", "\xE6\x9C\xA8", "<|im_end|"}) {
    std::string text;
    while (text.size() < 1 << 20) text += part;
    const Ids ids = tokenizer.encode(text, Specials::parse);
    EXPECT_TRUE(tokenizer.decode(ids) == text) << part;
    EXPECT_LE(ids.size(), text.size());
  }
}

TEST(Encode, NoByteIsLost) {
  const Tokenizer tokenizer = fixture::tokenizer("gpt2");
  fixture::Random random(3);
  for (int round = 0; round < 300; ++round) {
    std::string text(random() % 60, '\0');
    for (char& byte : text) byte = static_cast<char>(random());
    std::string back;
    for (const TokenId id : tokenizer.encode(text)) back += tokenizer.bytes(id);
    EXPECT_EQ(back, text);
  }
}

TEST(Encode, ThreadsShareATokenizer) {
  const Tokenizer tokenizer = fixture::tokenizer("added");
  std::string text;
  for (const Json& one : fixture::row("added").at("cases")) text += one.at("text").get<std::string>();
  const Ids once = tokenizer.encode(text, Specials::parse);
  std::vector<Ids> ids(4);
  std::vector<std::thread> threads;
  for (Ids& its : ids) threads.emplace_back([&] { its = tokenizer.encode(text, Specials::parse); });
  for (std::thread& thread : threads) thread.join();
  for (const Ids& its : ids) EXPECT_EQ(its, once);
}

TEST(Encode, PartsThatDoNotFitAreRefused) {
  using Parts = Tokenizer::Parts;
  Parts good;
  good.tokens = {"a", "b", "ab", "<s>"};
  good.merges = {{"a", "b"}};
  good.specials = {3};
  good.source = "some file";
  EXPECT_EQ(Tokenizer(good).encode("abba<s>", Specials::parse), (Ids{2, 1, 0, 3}));
  const struct {
    const char* word;
    void (*spoil)(Parts&);
  } table[] = {
      {"tokens 0 and 2 are both \"a\"", [](Parts& p) { p.tokens[2] = "a"; }},
      {"merge 1 (\"a\" and \"ab\") needs the token \"aab\"", [](Parts& p) { p.merges.emplace_back("a", "ab"); }},
      {"needs the token \"c\"", [](Parts& p) { p.merges.emplace_back("c", "b"); }},
      {"a special token is id 4, but there are 4", [](Parts& p) { p.specials = {4}; }},
      {"an added token is id -1", [](Parts& p) { p.added = {-1}; }},
      {"token 3 is listed twice", [](Parts& p) { p.added = {3}; }},
      {"token 1 is late", [](Parts& p) { p.late = {1}; }},
      {"a special token 1 is empty", [](Parts& p) { p.merges.clear(), p.tokens[1] = "", p.specials = {1}; }},
      {"bos is id 9", [](Parts& p) { p.bos = 9; }},
      {"pad is id -2", [](Parts& p) { p.pad = -2; }},
      {"before a text is id 7", [](Parts& p) { p.before = {7}; }},
      {"after a text is id -1", [](Parts& p) { p.after = {-1}; }},
  };
  for (const auto& row : table) {
    Parts bad = good;
    row.spoil(bad);
    const std::string what = fixture::message<FormatError>([&] { Tokenizer{bad}; });
    fixture::expect_has(what, row.word);
    EXPECT_EQ(what.rfind("some file: ", 0), 0u) << what;
  }
}

}  // namespace
}  // namespace graft
