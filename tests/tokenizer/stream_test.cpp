// Whatever the ids and the stop strings: what a TextStream gives is decode() of the ids, cut where the first stop begins, and
// every part of it is well-formed by itself.
#include "tokenizer/stream.h"

#include <algorithm>

#include "tests/tokenizer/fixture.h"

namespace graft {
namespace {

using fixture::Ids;

std::string cut_at(const std::string& text, const std::vector<std::string>& stops, bool& stopped) {
  std::size_t end = std::string::npos;
  for (const std::string& stop : stops) end = std::min(end, text.find(stop));
  stopped = end != std::string::npos;
  return text.substr(0, end);
}

/// By the JSON library, which takes nothing but UTF-8.
bool well_formed(const std::string& text) {
  try {
    return !fixture::Json(text).dump().empty();
  } catch (const fixture::Json::exception&) { return false; }
}

/// Few different ids, so that stops are often begun and often not ended; bytes of characters, often cut.
Ids some_ids(const Tokenizer& tokenizer, fixture::Random& random, bool few) {
  std::vector<TokenId> from = {0, 2};
  for (const char* token : {"a", "b", "aa", "ab", "\xC3\xA3" /* E3 */, "\xC4\xA3" /* 81 */, "\xC4\xA4" /* 82 */})
    if (tokenizer.id(token) >= 0) from.push_back(tokenizer.id(token));
  Ids ids(random() % 14);
  for (TokenId& id : ids)
    id = static_cast<TokenId>(few ? static_cast<std::size_t>(from[random() % from.size()]) : random() % tokenizer.size());
  return ids;
}

TEST(TextStream, GivesDecodeUpToTheFirstStop) {
  const Tokenizer tokenizer = fixture::tokenizer("added");
  const Tokenizer plain = fixture::tokenizer("gpt2");
  fixture::Random random(4);
  int stops_found = 0, repaired = 0;
  for (int round = 0; round < 20000; ++round) {
    const Tokenizer& its = round % 2 ? tokenizer : plain;
    const bool few = round % 4 < 2, skip = random() % 2 == 0;
    const Ids ids = some_ids(its, random, few);
    const std::string text = its.decode(ids, skip);
    std::vector<std::string> stops(random() % 3);
    for (std::string& stop : stops) {  // out of the text, or of its letters
      if (random() % 2 == 0 && !text.empty()) stop = text.substr(random() % text.size(), 1 + random() % 4);
      if (stop.empty() || !well_formed(stop)) {
        stop.clear();
        for (std::size_t length = 1 + random() % 4; length > 0; --length) stop += "ab\n"[random() % 3];
      }
    }
    bool stopped = false;
    const std::string expected = cut_at(text, stops, stopped);
    TextStream stream(its, stops, skip);
    std::string given;
    for (const TokenId id : ids) {
      const std::string part = stream.push(id);
      ASSERT_TRUE(well_formed(part)) << round;
      given += part;
      ASSERT_EQ(expected.compare(0, given.size(), given), 0)
          << round << ": \"" << given << "\" is no beginning of \"" << expected << '"';
    }
    const std::string rest = stream.finish();
    ASSERT_TRUE(well_formed(rest)) << round;
    ASSERT_EQ(given + rest, expected) << round;
    ASSERT_EQ(stream.stopped(), stopped) << round;
    ASSERT_EQ(stream.finish(), "") << round;
    stops_found += stopped;
    repaired += text.find("\xEF\xBF\xBD") != std::string::npos;
  }
  EXPECT_GT(stops_found, 1000);
  EXPECT_GT(repaired, 1000);
}

TEST(TextStream, GivesWhatIsCertainAtOnce) {
  const Tokenizer tokenizer = fixture::tokenizer("gpt2");
  const auto one = [&](const char* token) { return tokenizer.id(token); };
  const struct {
    const char* title;
    std::vector<std::string> stops;
    std::vector<std::pair<TokenId, std::string>> pushed;
    std::string rest;
    bool stopped;
  } table[] = {
      {"no stop: every token as it comes", {}, {{one("a"), "a"}, {one("b"), "b"}}, "", false},
      {"a character in three parts",
       {},
       {{one("\xC3\xA6"), ""}, {one("\xC4\xBE"), ""}, {one("\xC2\xA8"), "\xE6\x9C\xA8"}},
       "",
       false},
      {"half a character at the end", {}, {{one("a"), "a"}, {one("\xC3\xA6"), ""}}, "\xEF\xBF\xBD", false},
      {"a stop begun, then not", {"ab"}, {{one("a"), ""}, {one("a"), "a"}, {one("!"), "a!"}}, "", false},
      {"a stop begun at the end", {"ab"}, {{one("a"), ""}}, "a", false},
      {"a stop", {"ab"}, {{one("!"), "!"}, {one("a"), ""}, {one("b"), ""}, {one("!"), ""}}, "", true},
      {"of stops that overlap the one that begins first",
       {"b", "ab!"},
       {{one("a"), ""}, {one("b"), ""}, {one("!"), ""}},
       "",
       true},
      {"and if that one does not come, the other", {"b", "ab!"}, {{one("a"), ""}, {one("b"), ""}, {one("?"), "a"}}, "", true},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.title);
    TextStream stream(tokenizer, row.stops);
    for (const auto& push : row.pushed) EXPECT_EQ(stream.push(push.first), push.second);
    EXPECT_EQ(stream.finish(), row.rest);
    EXPECT_EQ(stream.stopped(), row.stopped);
  }
}

TEST(TextStream, RefusesWhatCannotBe) {
  const Tokenizer tokenizer = fixture::tokenizer("gpt2");
  fixture::expect_has(fixture::message<ValueError>([&] { TextStream(tokenizer, {"a", ""}); }), "empty");
  fixture::expect_has(fixture::message<ValueError>([&] { TextStream(tokenizer, {"\xC3"}); }), "UTF-8");
  TextStream stream(tokenizer, {"a"});
  fixture::expect_has(fixture::message<IndexError>([&] { stream.push(-1); }), "no token -1");
  stream.push(tokenizer.id("a"));
  fixture::expect_has(fixture::message<IndexError>([&] { stream.push(-1); }), "no token -1");  // also after the stop
}

}  // namespace
}  // namespace graft
