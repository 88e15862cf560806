// Ids to text: equal to Hugging Face's also where the bytes are not UTF-8.
#include "tests/tokenizer/fixture.h"

namespace graft {
namespace {

using fixture::Ids;
using fixture::Json;

TEST(Decode, GivesTheTextOfHuggingFace) {
  for (const Json& row : fixture::all().at("tokenizers")) {
    const Tokenizer tokenizer = fixture::tokenizer(row.at("name"));
    for (const Json& one : row.at("decode")) {
      SCOPED_TRACE(row.at("name").get<std::string>() + ": " + one.at("ids").dump());
      EXPECT_EQ(tokenizer.decode(one.at("ids").get<Ids>()), one.at("all").get<std::string>());
      EXPECT_EQ(tokenizer.decode(one.at("ids").get<Ids>(), true), one.at("skip").get<std::string>());
    }
  }
}

TEST(Decode, UndoesEncode) {
  for (const char* name : {"gpt2", "whole"}) {
    const Tokenizer tokenizer = fixture::tokenizer(name);
    for (const Json& one : fixture::row(name).at("cases")) {
      const std::string text = one.at("text");
      EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)), text);
      EXPECT_EQ(tokenizer.decode(tokenizer.encode(text, Specials::parse)), text);
    }
  }
}

TEST(Decode, TokensHaveNamesAndBytes) {
  const Tokenizer tokenizer = fixture::tokenizer("gpt2");
  EXPECT_EQ(tokenizer.size(), 400u);
  for (std::size_t i = 0; i < tokenizer.size(); ++i) {
    const TokenId id = static_cast<TokenId>(i);
    EXPECT_EQ(tokenizer.id(tokenizer.token(id)), id);
    EXPECT_EQ(tokenizer.is_special(id), i < 3);
  }
  EXPECT_EQ(tokenizer.id("no such token"), -1);
  EXPECT_FALSE(tokenizer.is_special(-1) || tokenizer.is_special(400));
  EXPECT_EQ(tokenizer.bytes(tokenizer.id("\xC4\xA0tree")), " tree");  // Ġ is the space
  EXPECT_EQ(tokenizer.bytes(1), "<|im_start|>");
}

TEST(Decode, UnknownIdsAreNamed) {
  const Tokenizer tokenizer = fixture::tokenizer("gpt2");
  for (const TokenId id : {-1, 400, 2147483647}) {
    const std::string expected = "gpt2's tokenizer.json: there is no token " + std::to_string(id) + "; ids go from 0 to 399";
    if (id < 0) {
      EXPECT_EQ(fixture::message<IndexError>([&] { tokenizer.decode({5, id}); }), expected);
    }
    EXPECT_EQ(fixture::message<IndexError>([&] { tokenizer.bytes(id); }), expected);
    EXPECT_EQ(fixture::message<IndexError>([&] { tokenizer.token(id); }), expected);
  }
}

}  // namespace
}  // namespace graft
