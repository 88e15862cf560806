// graft tokenize, and ids back to text.
#include <nlohmann/json.hpp>

#include "tests/cli/models.h"
#include "tests/here.h"

namespace graft::testing {
namespace {

Result tokenize(const Arguments& arguments, const std::string& input = "") {
  Arguments all{"tokenize", "--model", tiny()};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return graft(all, {input, {}, {}, ""});
}

TEST(Tokenize, IdsAreTheLibrarys) {
  const Tokenizer tokenizer = load_tokenizer_of(tiny());
  for (const std::string words : {"the cat sat", "info", "--", " ", "[the]", "a\nb", "größer 🙂", "<|im_end|>"}) {
    const Arguments arguments = words == "--" ? Arguments{"--ids", "--", words} : Arguments{"--ids", words};
    const Result r = tokenize(arguments);
    expect_works(r);
    EXPECT_EQ(nlohmann::json::parse(r.out).get<std::vector<TokenId>>(), tokenizer.encode(words)) << words;
    EXPECT_EQ(tokenize({"--ids", "-"}, words).out, r.out) << "by standard input";
    const Result back = tokenize({"--decode", r.out});
    expect_works(back);
    EXPECT_EQ(back.out, words + "\n");
  }
  EXPECT_EQ(tokenize({"--ids", ""}).out, "[]\n");
}

TEST(Tokenize, SpecialTokensOnlyIfAskedFor) {
  EXPECT_EQ(tokenize({"--ids", "--specials", "<|im_end|>"}).out, "[2]\n");
  const Result table = tokenize({"--specials", "the\n<|im_end|>"});
  EXPECT_EQ(table.out.find("     2  \"<|im_end|>\"  special\n"), table.out.find("     2"));
  EXPECT_NE(table.out.find("\"\\n\""), std::string::npos) << table;
  EXPECT_EQ(tokenize({"--decode", "2"}).out, "<|im_end|>\n");
}

TEST(Tokenize, PiecesThatAreNoCharactersAreShownAsBytes) {
  const Result r = tokenize({"-"}, "\xe2\x82\xac\xff");
  expect_works(r);
  for (const char* piece : {"\"\\xE2\"", "\"\\x82\"", "\"\\xAC\"", "\"\\xFF\"", "4 tokens, 4 bytes"})
    EXPECT_NE(r.out.find(piece), std::string::npos) << piece << r;
}

TEST(Tokenize, AFile) {
  const TemporaryFolder folder;
  write_file(folder / "text", "the cat\n");
  EXPECT_EQ(tokenize({"--ids", "--file", folder / "text"}).out, tokenize({"--ids", "the cat\n"}).out);
  expect_fails(tokenize({"--file", folder / "none"}), "none");
  expect_fails(tokenize({"--file", folder / ""}), "");
}

TEST(Tokenize, DroppedBytesAreReported) {
  const TemporaryFolder folder;  // a vocabulary without the byte of "Z"
  fs::copy(tiny(), folder / "m");
  nlohmann::json json = nlohmann::json::parse(read_file(folder / "m/tokenizer.json"));
  nlohmann::json& vocab = json["model"]["vocab"];
  vocab["Zz"] = vocab["Z"];
  vocab.erase("Z");
  write_file(folder / "m/tokenizer.json", json.dump());
  const Result r = graft({"tokenize", "--model", folder / "m", "--ids", "aZZb"});
  expect_works(r);
  EXPECT_EQ(r.out, tokenize({"--ids", "ab"}).out) << r;
  EXPECT_EQ(r.err, "graft: 2 bytes are not in this vocabulary, and left out\n");
}

TEST(Tokenize, WrongInput) {
  expect_refuses(tokenize({}), "give a text");
  expect_refuses(tokenize({"a", "b"}), "");
  expect_refuses(tokenize({"a", "--file", "b"}), "excludes");
  expect_refuses(tokenize({"--decode", "--ids", "1"}), "excludes");
  expect_fails(tokenize({"--decode", "1 x"}), "\"x\" is not an id");
  expect_fails(tokenize({"--decode", "-1"}), "\"-1\" is not an id");
  const Result padding = tokenize({"--decode", "99999"});  // models have more rows than tokenizers have tokens
  expect_works(padding);
  EXPECT_NE(padding.err.find("no token has the id 99999"), std::string::npos) << padding;
  expect_fails(tokenize({"--decode", "99999999999999"}), "is not an id");
  const std::string without = here::fixtures() + "/models/llama";
  expect_fails(graft({"tokenize", "--model", without, "the"}), "tokenizer");
}

}  // namespace
}  // namespace graft::testing
