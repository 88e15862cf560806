// train_tokenizer learns the merges that tokenizers' BpeTrainer learns, ties included.
#include "tokenizer/train.h"

#include <cstdlib>

#include "tests/tokenizer/fixture.h"

namespace graft {
namespace {

using fixture::Json;

Tokenizer trained(const Json& row) {
  return train_tokenizer(row.at("texts"), row.at("vocabulary"), fixture::pre(row.at("pre")), row.at("specials"),
                         row.at("min_count"));
}

TEST(Train, LearnsTheMergesOfHuggingFace) {
  for (const Json& row : fixture::all().at("train")) {
    SCOPED_TRACE(row.at("name").get<std::string>());
    const Tokenizer tokenizer = trained(row);
    EXPECT_EQ(tokenizer.parts().merges, (row.at("merges").get<std::vector<std::pair<std::string, std::string>>>()));
    ASSERT_EQ(tokenizer.size(), row.at("size").get<std::size_t>());
    const std::size_t specials = row.at("specials").size();
    for (std::size_t i = 0; i < specials; ++i) EXPECT_EQ(tokenizer.token(static_cast<TokenId>(i)), row.at("specials")[i]);
    std::vector<std::string> last;
    for (std::size_t i = 256 + specials; i < tokenizer.size(); ++i) last.push_back(tokenizer.token(static_cast<TokenId>(i)));
    EXPECT_EQ(last, row.at("last").get<std::vector<std::string>>());
    EXPECT_EQ(tokenizer.parts().eos, tokenizer.id("<|endoftext|>"));
  }
}

TEST(Train, GivesTheIdsOfHuggingFace) {
  const Tokenizer tokenizer = trained(fixture::all().at("train")[0]);  // what the fixture "gpt2" was trained on
  for (const Json& one : fixture::row("gpt2").at("cases"))
    EXPECT_EQ(tokenizer.encode(one.at("text").get<std::string>(), Specials::parse), one.at("parse").get<fixture::Ids>());
}

TEST(Train, RefusesWhatCannotBe) {
  const struct {
    std::size_t vocabulary, min_count;
    std::vector<std::string> specials;
    const char* word;
  } table[] = {
      {255, 2, {}, "a vocabulary of 255 has no room for 0 special tokens and 256 bytes"},
      {257, 2, {"<s>", "</s>"}, "make it at least 258"},
      {300, 0, {}, "min_count is 0"},
      {300, 2, {"<s>", "<x>", "<s>"}, "\"<s>\" is given twice"},
      {300, 2, {""}, "\"\" is empty"},
      {300, 2, {"!"}, "\"!\" is empty or one character"},
  };
  for (const auto& row : table) {
    const auto train = [&] { train_tokenizer({"text"}, row.vocabulary, PreTokenizer::gpt2, row.specials, row.min_count); };
    fixture::expect_has(fixture::message<ValueError>(train), row.word);
  }
}

/// For tests/interop/tokenizer.py, which has Hugging Face's library read what we trained and wrote.
TEST(Train, WritesATokenizerForOthers) {
  const char* const path = std::getenv("GRAFT_INTEROP_TOKENIZER");
  if (path == nullptr) GTEST_SKIP() << "GRAFT_INTEROP_TOKENIZER names no file";
  save_tokenizer(trained(fixture::all().at("train")[1]), path);
}

}  // namespace
}  // namespace graft
