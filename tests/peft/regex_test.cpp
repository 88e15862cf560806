// Regular expressions against Python's `re` (tests/fixtures/regex.json, made by make_regex.py), and their limits.
#include "peft/inside/regex.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "autograd/errors.h"
#include "tests/nn/fixture.h"

namespace graft::peft {
namespace {

const nlohmann::json& table() {
  static const nlohmann::json all = fixture::json_of(here::fixtures() + "/regex.json");
  return all;
}

std::string refusal(const std::string& expression) {
  RegexBudget budget;
  try {
    const Regex regex(expression, "a.json: the field f", budget);
    regex.fullmatch(std::string(200, 'a'));
  } catch (const FormatError& error) { return error.what(); }
  return "";
}

TEST(Regex, MatchesAsPython) {
  const auto texts = table().at("texts").get<std::vector<std::string>>();
  std::size_t cases = 0, found = 0;
  for (const auto& row : table().at("match")) {
    const std::string expression = row[0], answers = row[1];
    RegexBudget budget;
    const Regex regex(expression, "test", budget);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (answers[i] == '-') continue;
      EXPECT_EQ(regex.fullmatch(texts[i]) + 2 * regex.match(texts[i]), answers[i] - '0') << expression << " on " << texts[i];
      ++cases, found += answers[i] != '0';
    }
  }
  EXPECT_GT(cases, 4000u);
  EXPECT_GT(found, 1000u);
}

TEST(Regex, GroupsAsPython) {
  for (const auto& [expression, groups] : table().at("groups").items())
    for (const auto& text : table().at("texts")) {
      RegexBudget budget;
      const auto group = Regex(expression, "test", budget).group("idx", text);
      EXPECT_EQ(group.value_or("none"), groups.value(text.get<std::string>(), "none")) << expression << " on " << text;
    }
}

TEST(Regex, RefusesWhatPythonRefuses) {
  for (const auto& row : table().at("refused"))
    EXPECT_NE(refusal(row).find("a.json: the field f"), std::string::npos) << "accepted: " << row;
}

TEST(Regex, RefusesWhatItDoesNotKnow) {
  for (const char* expression : {"(a)\\1", "(?P<x>a)(?P=x)", "(a)?(?(1)b|c)", "(?x)a", "\\N{DIGIT ONE}", "\\101", "\xC3\xA9"})
    EXPECT_NE(refusal(expression), "") << expression;
}

/// Where such a loop ends depends on what Python tries first, and elsewhere nothing does.
TEST(Regex, RefusesLoopsOfNothingWhereTheFirstMatchCounts) {
  for (const char* expression : {"(?:a{0,1}?)*+", "(?>(?:a{0,1}?)*)b", "(?:a|)++", "(?>x(?:(?:|a)*|b))", "(?:a*)*+", "(?:(?:a|){2})++"})
    EXPECT_NE(refusal(expression).find("not supported"), std::string::npos) << expression;
  for (const char* expression : {"(?:a?)*", "(?:a?)?+", "a*+", "(?>a*)b", "(?>(?:a|ab)*)", "(?=(a|)*)b"})
    EXPECT_EQ(refusal(expression), "") << expression;
}

TEST(Regex, MessagesNameTheExpressionAndThePlace) {
  EXPECT_EQ(refusal("q_proj|(v"),
            "a.json: the field f holds \"q_proj|(v\", which is not a regular expression at character 8: missing ), unterminated "
            "subpattern");
  EXPECT_NE(refusal("a{2000}b{2000}c{2000}").find("5000 steps"), std::string::npos);
}

/// Each would take a backtracking matcher without memory longer than a life.
TEST(Regex, NoExpressionTakesLong) {
  const std::string text(3000, 'a');
  const auto begin = std::chrono::steady_clock::now();
  for (const char* expression :
       {"(.*)*x", "(a*)*b", "(a|a)*b", "(a|aa)+b", "(.*a){20}b", "((a*)*)*b", "(a?){1000}a{1000}b", "(?:){999999999}",
        "((((((a*)*)*)*)*)*)*b", "(?=(a*)*b)(?=(a*)*b)", "(?:(?=(?:(?=a*)a)*)a)*b", "(?>(?:aa*)*)*b",
        "(?=.*(?=.*(?=.*(?=.*(?=.*(?=x))))))", "(?>.*?(?>.*?(?>.*?(?>.*?(?>.*?(?>x))))))"}) {
    RegexBudget budget;
    try {
      EXPECT_FALSE(Regex(expression, "test", budget).fullmatch(text)) << expression;
    } catch (const FormatError& error) { EXPECT_NE(std::string(error.what()).find("steps"), std::string::npos) << error.what(); }
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::minutes(1));
}

TEST(Regex, TheExpressionsOfAFileShareTheirSteps) {
  RegexBudget budget;
  budget.steps = 10'000;
  const Regex regex("(.*)*x", "a.json: the field f", budget);
  EXPECT_FALSE(regex.fullmatch(std::string(100, 'a')));
  try {
    for (int i = 0; i < 100; ++i) regex.fullmatch(std::string(100, 'a'));
    FAIL() << "it went on";
  } catch (const FormatError& error) {
    EXPECT_NE(std::string(error.what()).find("\"(.*)*x\""), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace graft::peft
