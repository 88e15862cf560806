// Chips: one for each token, what a token consists of visible.
#include "show/tokens.h"

#include <gtest/gtest.h>

#include "autograd/errors.h"
#include "tests/show/pictures.h"

namespace {

using namespace graft;
using pictures::checked;

/// Tokens in GPT-2's alphabet of bytes: Ġ is a space, Ċ the end of a line, Ã and ¤ the two bytes of ä.
Tokenizer tokenizer() {
  Tokenizer::Parts parts;
  parts.tokens = {"a", "Ġb", "Ċ", "Ã", "Ã¤", "<s>", "&", "\u0101"};
  parts.specials = {5};
  return Tokenizer(parts);
}

std::vector<const xml::Element*> chips(const xml::Element& page) {
  std::vector<const xml::Element*> all;
  for (const xml::Element& child : page.children.at(0).children) all.push_back(&child);
  return all;
}

TEST(Tokens, WhatCannotBeSeenIsShown) {
  const show::Html shown = show::tokens(tokenizer(), {0, 1, 2, 3, 4, 5, 6, 7});
  const xml::Element page = checked(shown);
  const auto all = chips(page);
  const std::vector<std::string> expected{"a", "·b", "↵", "<0xC3>", "ä", "<s>", "&", "<0x01>"};
  ASSERT_EQ(all.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    std::string signs, rest = all[i]->text;
    for (const xml::Element& sign : all[i]->children) signs += sign.text;
    EXPECT_EQ(signs + rest, expected[i]);
    EXPECT_EQ((*all[i])["title"], "id " + std::to_string(i));
  }
  EXPECT_EQ(all[1]->children.at(0).text, "·") << "a dot that stands for a space is paler than one that is a dot";
  EXPECT_EQ(shown.text, "[a] [·b] [↵] [<0xC3>] [ä] [<s>] [&] [<0x01>]\n");
}

TEST(Tokens, NeighboursDifferInColour) {
  const xml::Element page = checked(show::tokens(tokenizer(), {0, 0, 0}));
  const auto all = chips(page);
  EXPECT_NE((*all[0])["style"], (*all[1])["style"]);
  EXPECT_NE((*all[1])["style"], (*all[2])["style"]);
}

TEST(Tokens, VirtualTokensHaveNamesOfTheirOwn) {
  const show::Html shown = show::tokens(tokenizer(), {8, 0, 10}, 8);
  checked(shown);
  EXPECT_EQ(shown.text, "[v0] [a] [v2]\n");
}

TEST(Tokens, ValuesAreShades) {
  const show::Html shown = show::tokens(tokenizer(), {0, 1, 6, 0, 0}, -1, {0, 1, 4, -4, std::nan("")});
  const auto page = checked(shown);
  const auto all = chips(page);
  const auto part = [&](std::size_t i, std::size_t at) {
    const std::string& style = (*all[i])["style"];
    return std::stoi(style.substr(style.find("background:#") + 12 + at, 2), nullptr, 16);
  };
  EXPECT_EQ(part(0, 2), 255) << "0 is white";
  EXPECT_GT(part(1, 2), part(2, 2));
  EXPECT_GT(part(2, 0), part(2, 4)) << "red";
  EXPECT_GT(part(3, 4), part(3, 0)) << "blue";
  EXPECT_TRUE(part(4, 0) == part(4, 2) && part(4, 0) < 200) << "grey";
  EXPECT_EQ((*all[2])["title"], "id 6: 4");
  EXPECT_NE(shown.text.find("[&]4"), std::string::npos) << shown.text;
}

TEST(Tokens, RefusesIdsAndValuesThatDoNotFit) {
  EXPECT_THROW(show::tokens(tokenizer(), {8}), IndexError);
  EXPECT_THROW(show::tokens(tokenizer(), {-1}), IndexError);
  EXPECT_THROW(show::tokens(tokenizer(), {-1}, 8), IndexError);
  EXPECT_THROW(show::tokens(tokenizer(), {0, 1}, -1, {1}), ValueError);
  checked(show::tokens(tokenizer(), {}));
}

}  // namespace
