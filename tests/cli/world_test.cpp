// The demo's world and the reader of the Bible: what they say must be so.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "autograd/errors.h"
#include "cli/demo/world.h"
#include "cli/real/bible.h"
#include "tests/cli/models.h"

namespace graft::testing {
namespace {

TEST(World, TheSameSeedTellsTheSameStories) {
  Rng a(3), b(3), c(4);
  std::string first, second, other;
  for (int i = 0; i < 20; ++i) first += cli::story(a), second += cli::story(b), other += cli::story(c);
  EXPECT_EQ(first, second);
  EXPECT_NE(first, other);
}

TEST(World, ASentenceTellsEveryAttributeOfItsTableAndNoOther) {
  const std::map<std::string, std::string> weather{
      {"rain", "it rained"},    {"snow", "it snowed"},      {"sun", "the sun shone"},     {"wind", "the wind blew"},
      {"fog", "there was fog"}, {"storm", "a storm raged"}, {"clouds", "clouds went by"}, {"frost", "it froze"}};
  Rng rng(5);
  std::set<std::size_t> sizes;
  for (int i = 0; i < 300; ++i) {
    const cli::Description d = cli::description(rng);
    std::size_t fields = 0;
    for (std::size_t at = 0; at < d.table.size(); ++fields) {
      const std::size_t colon = d.table.find(": ", at), end = std::min(d.table.find_first_of(",.", at), d.table.size());
      const std::string key = d.table.substr(at, colon - at), value = d.table.substr(colon + 2, end - colon - 2);
      EXPECT_NE(d.sentence.find(key == "weather" ? weather.at(value) : value), std::string::npos) << d.table << d.sentence;
      at = end + 2;
    }
    EXPECT_EQ(d.sentence.find("While") != std::string::npos, d.table.find("weather") != std::string::npos);
    EXPECT_EQ(d.sentence.find("and was") != std::string::npos, d.table.find("feeling") != std::string::npos);
    sizes.insert(fields);
  }
  EXPECT_EQ(sizes, (std::set<std::size_t>{2, 3, 4, 5}));
}

TEST(World, AReviewIsJudgedByItsTwoOpinions) {
  const std::set<std::string> liked{"fresh",    "tasty",  "warm",     "sweet", "clean",  "bright", "quiet", "cozy",  "kind",
                                    "friendly", "polite", "cheerful", "soft",  "lovely", "wide",   "grand", "gentle"};
  const std::set<std::string> disliked{"stale",   "burnt", "bitter", "cold",  "dirty",    "dark",  "noisy",
                                       "cramped", "rude",  "lazy",   "angry", "careless", "hard",  "broken",
                                       "damp",    "dull",  "ugly",   "grey",  "poor",     "harsh", "awful"};
  Rng rng(6);
  std::map<std::string, int> labels;
  for (int i = 0; i < 300; ++i) {
    const cli::Review r = cli::review(rng);
    int good = 0, bad = 0;
    for (std::size_t at = r.text.find(" was "); at != std::string::npos; at = r.text.find(" was ", at + 1)) {
      const std::size_t begin = at + 5;
      const std::string word = r.text.substr(begin, r.text.find_first_of(" ,.", begin) - begin);
      good += liked.count(word) != 0, bad += disliked.count(word) != 0;
    }
    ASSERT_EQ(good + bad, 2) << r.text;
    EXPECT_EQ(r.label, good == 2 ? "good" : bad == 2 ? "bad" : "mixed") << r.text;
    ++labels[r.label];
  }
  EXPECT_EQ(labels.size(), 3u);
  for (const auto& [label, count] : labels) EXPECT_GT(count, 70) << label;
}

class Bible : public ::testing::Test {
 protected:
  std::string file(const std::string& text) {
    write_file(folder / "bible.txt", text);
    return folder / "bible.txt";
  }
  std::string refused(const std::string& text) {
    try {
      cli::read_bible(file(text));
    } catch (const FormatError& e) { return e.what(); }
    return "no error";
  }
  TemporaryFolder folder;
};

TEST_F(Bible, BooksHaveTheirKinds) {
  EXPECT_EQ(cli::kind_of_book("Ge"), "Law");
  EXPECT_EQ(cli::kind_of_book("Acts"), "History");
  EXPECT_EQ(cli::kind_of_book("Psa"), "Poetry");
  EXPECT_EQ(cli::kind_of_book("Mal"), "Prophets");
  EXPECT_EQ(cli::kind_of_book("John"), "Gospels");
  EXPECT_EQ(cli::kind_of_book("1Jn"), "Letters");
  EXPECT_EQ(cli::kind_of_book("Rev"), "");
  EXPECT_THROW(cli::kind_of_book("Enoch"), ValueError);
}

TEST_F(Bible, WhatIsNoVerseIsToldWithItsLine) {
  EXPECT_NE(refused("Ge1:1 In the beginning\nAnd then\n").find("line 2: expected a verse"), std::string::npos);
  EXPECT_NE(refused("Enoch1:1 In the beginning\n").find("line 1: unknown book \"Enoch\""), std::string::npos);
  EXPECT_NE(refused("Ge1:1 In the beginning\n").find("1 of 66 books"), std::string::npos);
  EXPECT_NE(refused("Ge1: In the beginning\n").find("line 1: expected"), std::string::npos);
  EXPECT_NE(refused("Ge123456789123456789:1 x\n").find("line 1: expected"), std::string::npos);
  EXPECT_THROW(cli::read_bible((folder / "none").string()), FileError);
  expect_fails(graft({"real", "--model", tiny(), "--bible", file("nonsense"), "--out", folder / "out"}),
               "line 1: expected a verse");
}

TEST_F(Bible, ChaptersAreHeldOutWhole) {
  int held = 0;
  for (int chapter = 1; chapter <= 150; ++chapter) {
    const bool first = cli::held_out({"Psa", "", chapter, 1});
    for (int verse = 2; verse < 9; ++verse) EXPECT_EQ(cli::held_out({"Psa", "", chapter, verse}), first);
    held += first;
  }
  EXPECT_GT(held, 5);
  EXPECT_LT(held, 30);
}

}  // namespace
}  // namespace graft::testing
