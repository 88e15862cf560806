// Files become examples: what is scored, where lines are wrong, batches, and an order that is a pure function of seed and number.
#include "autograd/sizes.h"
#include "train/data.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "autograd/errors.h"
#include "formats/file.h"
#include "tests/formats/scratch_folder.h"
#include "tests/train/words.h"
#include "tokenizer/chat.h"

namespace graft::train {
namespace {

class Data : public ::testing::Test {
 protected:
  std::string file(const std::string& name, const std::string& content) {
    formats::write_text(scratch.path(name), content);
    return scratch.path(name);
  }
  /// The message of the error that reading this gives.
  template <class E>
  std::string refused(const std::string& content, ReadOptions options = {}) {
    try {
      read_dataset(file("bad.jsonl", content), tokenizer(), options);
    } catch (const E& e) { return e.what(); }
    return "no error";
  }
  std::string scored(const Example& e) const {  // the text that is learned
    std::vector<TokenId> ids;
    for (const Id label : e.labels)
      if (label != ignored) ids.push_back(label);
    return tokenizer().decode(ids);
  }
  static std::vector<Id> asked(const Example& e) { return {e.ids.begin(), e.ids.begin() + e.answer}; }
  formats::ScratchFolder scratch;
};

TEST_F(Data, OfCompletionsOnlyTheCompletionIsScored) {
  ReadOptions options;
  options.end = 0;
  const Dataset d = read_dataset(
      file("a.jsonl", "{\"prompt\": \"the cat\", \"completion\": \" sat on\"}\n\n{\"completion\": \" é\", \"prompt\": \"\"}\n"),
      tokenizer(), options);
  ASSERT_EQ(d.kind, Dataset::Kind::completion);
  ASSERT_EQ(d.examples.size(), 2u);
  EXPECT_EQ(tokenizer().decode(d.examples[0].ids), "the cat sat on<|endoftext|>");
  EXPECT_EQ(scored(d.examples[0]), " sat on<|endoftext|>");
  EXPECT_EQ(d.examples[0].reference, " sat on");
  EXPECT_EQ(tokenizer().decode(asked(d.examples[0])), "the cat");
  EXPECT_EQ(d.examples[1].answer, 0) << "nothing is asked";
  options.begin = {5, 6};
  EXPECT_EQ(asked(read_dataset(scratch.path("a.jsonl"), tokenizer(), options).examples[1]), (std::vector<Id>{5, 6}));
}

TEST_F(Data, OfMessagesOnlyWhatTheAssistantSaysIsScored) {
  const Dataset d = read_dataset(
      file(
          "a.jsonl",
          R"({"messages": [{"role": "user", "content": "the cat"}, {"role": "assistant", "content": "sat"}, {"role": "user", "content": "on"}, {"role": "assistant", "content": "the mat"}]})"),
      tokenizer(), {});
  ASSERT_EQ(d.kind, Dataset::Kind::chat);
  const std::vector<TokenId> all =
      chatml(tokenizer(), {{"user", "the cat"}, {"assistant", "sat"}, {"user", "on"}, {"assistant", "the mat"}}, false);
  EXPECT_EQ(d.examples[0].ids, std::vector<Id>(all.begin(), all.end()));
  EXPECT_EQ(scored(d.examples[0]), "sat<|im_end|>the mat<|im_end|>");
  const std::vector<TokenId> before =
      chatml(tokenizer(), {{"user", "the cat"}, {"assistant", "sat"}, {"user", "on"}}, true);  // up to what is said last
  EXPECT_EQ(asked(d.examples[0]), std::vector<Id>(before.begin(), before.end()));
}

TEST_F(Data, TextsAndTheirClassesHaveNoAnswer) {
  const Dataset texts = read_dataset(file("a.jsonl", "{\"text\": \"the cat sat\"}\n"), tokenizer(), {});
  const Dataset classes =
      read_dataset(file("b.jsonl", "{\"text\": \"the cat sat\", \"label\": \"a\"}\n{\"text\": \"on\", \"label\": \"b\"}\n"),
                   tokenizer(), {});
  EXPECT_EQ(texts.examples[0].answer, -1);
  EXPECT_EQ(scored(texts.examples[0]), "the cat sat");
  EXPECT_EQ(scored(classes.examples[0]), "") << "a class is not a token";
  const Batch b = batch(classes, {0, 1}, 9);
  EXPECT_EQ(b.answers, b.lengths);
}

TEST_F(Data, TextBecomesWindowsOrLines) {
  const std::string words = "the cat sat on the mat\nthe dog sat\n";
  ReadOptions options;
  options.longest = 4, options.end = 0;
  const Dataset windows = read_dataset(file("a.txt", words), tokenizer(), options);
  std::vector<TokenId> joined;
  for (const Example& e : windows.examples) {
    EXPECT_LE(e.ids.size(), 4u);
    joined.insert(joined.end(), e.ids.begin(), e.ids.end());
  }
  std::vector<TokenId> all = tokenizer().encode(words);
  all.push_back(0);
  ASSERT_GE(joined.size() + 1, all.size());  // a last window of one token, which predicts nothing, is left out
  all.resize(joined.size());
  EXPECT_EQ(joined, all);
  options.longest = 100, options.by_line = true;
  const Dataset lines = read_dataset(file("a.txt", words), tokenizer(), options);
  ASSERT_EQ(lines.examples.size(), 2u);
  EXPECT_EQ(scored(lines.examples[1]), "the dog sat<|endoftext|>");
}

TEST_F(Data, ClassesAreSortedAndUnknownOnesRefused) {
  const std::string two = "{\"text\": \"the dog\", \"label\": \"no\"}\n{\"text\": \"the cat\", \"label\": \"maybe\"}\n";
  const Dataset d = read_dataset(file("a.jsonl", two), tokenizer(), {});
  EXPECT_EQ(d.labels, (std::vector<std::string>{"maybe", "no"}));
  EXPECT_EQ(d.examples[0].label, 1);
  EXPECT_EQ(classes(d, {1, 0})[0], 0);
  const std::string large =
      "{\"text\": \"the dog\", \"label\": 18446744073709551615}\n{\"text\": \"the cat\", \"label\": -1}\n";
  EXPECT_EQ(read_dataset(file("b.jsonl", large), tokenizer(), {}).labels,
            (std::vector<std::string>{"-1", "18446744073709551615"}));
  ReadOptions options;
  options.labels = {"yes", "no"};
  EXPECT_NE(
      refused<FormatError>(two, options).find("line 2: the label \"maybe\" is not among those that are known: \"yes\", \"no\""),
      std::string::npos);
}

TEST_F(Data, SaysWhichLineIsWrongAndWhatIsExpected) {
  const std::string good = "{\"prompt\": \"a\", \"completion\": \"b\"}\n";
  const auto expect_says = [&](const std::string& content, const std::string& words) {
    const std::string said = refused<FormatError>(content);
    EXPECT_NE(said.find(words), std::string::npos) << said;
  };
  expect_says("", "the file is empty");
  expect_says(good + "{\"prompt\": \"a\"\n", "line 2, column 15: this is not valid JSON");
  expect_says(good + "[1]\n", "line 2: this is array");
  expect_says(good + "{\"prompt\": \"a\"}\n", "line 2: there is no \"completion\"");
  expect_says(good + "{\"prompt\": 3, \"completion\": \"b\"}\n", "line 2: \"prompt\" is number");
  expect_says(good + "{\"text\": \"a\", \"label\": \"b\"}\n",
              "line 2: this is one of labelled texts, but the lines before are prompts");
  expect_says("{\"text\": \"a\", \"label\": 1}\n{\"text\": \"the cat\"}\n",
              "line 2: this is one of text, but the lines before are labelled texts");
  expect_says("{\"text\": \"a\", \"label\": 1.5}\n", "line 1: \"label\" is number");
  expect_says("{\"text\": \"\", \"label\": \"b\"}\n", "gives no tokens");
  expect_says("{\"text\": \"a\", \"label\": \"b\\n\"}\n", "control character");
  expect_says("{\"other\": \"a\"}\n", "line 1: expected one like");
  expect_says("{\"prompt\": \"a\", \"completion\": \"\"}\n", "\"completion\" is empty");
  expect_says("{\"messages\": []}\n", "\"messages\" must be a list");
  expect_says("{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}]}\n", "the assistant has no message");
  expect_says("{\"messages\": [{\"role\": \"robot\", \"content\": \"x\"}]}\n", "the role \"robot\"");
  expect_says("{\"prompt\": \"\xff\", \"completion\": \"b\"}\n", "line 1, byte 13: the byte FF is not valid UTF-8");
  EXPECT_THROW(read_dataset(scratch.path("none.jsonl"), tokenizer(), {}), FileError);
}

TEST_F(Data, FieldsOfOtherNamesAreNamed) {
  const auto expect_says = [&](const std::string& content, const std::string& words) {
    const std::string said = refused<FormatError>(content);
    EXPECT_NE(said.find(words), std::string::npos) << said;
  };
  expect_says("{\"instruction\": \"a\", \"output\": \"b\"}\n", "here the fields are \"instruction\", \"output\"");
  expect_says("{\"prompt\": \"a\", \"response\": \"b\"}\n",
              "there is no \"completion\"; expected one like {\"prompt\": .., \"completion\": ..}, {\"messages\": [..]}, "
              "{\"text\": .., \"label\": ..} or {\"text\": ..}; here the fields are \"prompt\", \"response\"");
  // Turns under another name are no file of examples inside of a field.
  expect_says("{\"conversations\": [{\"from\": \"human\", \"value\": \"x\"}]}\n", "here the only field is \"conversations\"");
  const std::string long_name = std::string(39, 'a') + "\xe7\xb1\xbb";  // no half of a character is shown
  expect_says("{\"" + long_name + "\": 1}\n", "\"" + std::string(39, 'a') + "\"");

  // What would silently be left out: the label under another name, and a table's other columns.
  const auto unread = [&](const std::string& name, const std::string& content) {
    return read_dataset(file(name, content), tokenizer(), {}).unread;
  };
  EXPECT_EQ(unread("a.jsonl", "{\"text\": \"the cat\", \"labels\": \"b\"}\n"), "\"labels\"");
  EXPECT_EQ(unread("b.jsonl", "{\"text\": \"the cat\", \"label\": \"b\"}\n"), "");
  EXPECT_EQ(unread("c.jsonl", "{\"prompt\": \"a\", \"completion\": \"b\", \"text\": \"c\"}\n"), "\"text\"");
  EXPECT_EQ(unread("d.csv", "id,text,label,by\n1,the cat,b,me\n"), "\"id\", \"by\"");
  EXPECT_EQ(unread("e.txt", "the cat sat"), "");
}

TEST_F(Data, LongExamplesAreCountedAndCutOnlyWhenAsked) {
  ReadOptions options;
  options.longest = 3;
  const std::string lines =
      "{\"prompt\": \"the\", \"completion\": \" cat\"}\n{\"prompt\": \"the cat\", \"completion\": \" sat on the mat\"}\n";
  const std::string said = refused<ValueError>(lines, options);
  EXPECT_NE(said.find("1 of 2 examples are longer than the 3 tokens"), std::string::npos) << said;
  EXPECT_NE(said.find("line 2"), std::string::npos) << said;
  options.cut = true;
  const Dataset d = read_dataset(file("a.jsonl", lines), tokenizer(), options);
  EXPECT_EQ(d.cut, 1);
  EXPECT_EQ(d.examples[1].ids.size(), 3u);
  EXPECT_LT(d.examples[1].answer, 3);
  options.longest = 2;  // then only the prompt is left of the second
  EXPECT_NE(refused<FormatError>(lines, options).find("nothing to learn is left"), std::string::npos);
}

TEST_F(Data, BatchesAreFilledUpAndSayHowLongRowsAre) {
  const Dataset d = read_dataset(
      file("a.jsonl",
           "{\"prompt\": \"the\", \"completion\": \" cat\"}\n{\"prompt\": \"the cat\", \"completion\": \" sat on\"}\n"),
      tokenizer(), {});
  const Batch b = batch(d, {1, 0}, 9);
  ASSERT_EQ(b.ids.shape(), b.labels.shape());
  EXPECT_EQ(b.lengths[0], b.ids.shape()[1]);
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(b.answers[i], d.examples[1 - i].answer);
  const Index T = b.ids.shape()[1], n = b.lengths[1];
  ASSERT_LT(n, T);
  for (Index t = 0; t < T; ++t) {
    EXPECT_EQ(b.ids[T + t], t < n ? nth(d.examples[0].ids, t) : 9);
    EXPECT_EQ(b.labels[T + t] == ignored, t >= n || nth(d.examples[0].labels, t) == ignored);
  }
}

TEST_F(Data, SplittingTakesEveryExampleOnce) {
  std::string lines;
  for (int i = 0; i < 20; ++i)
    lines += "{\"text\": \"the " + std::to_string(i) + "\", \"label\": \"" + std::to_string(i % 2) + "\"}\n";
  Dataset d = read_dataset(file("a.jsonl", lines), tokenizer(), {});
  Dataset again = read_dataset(file("a.jsonl", lines), tokenizer(), {});
  const Dataset held = split(d, 0.25, 3), same = split(again, 0.25, 3);
  EXPECT_EQ(held.examples.size(), 5u);
  std::set<std::string> texts;
  for (const Dataset* part : std::initializer_list<const Dataset*>{&d, &held})
    for (const Example& e : part->examples) texts.insert(e.prompt);
  EXPECT_EQ(texts.size(), 20u);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(held.examples[i].prompt, same.examples[i].prompt);
  EXPECT_THROW(split(d, 0.001, 3), ValueError);
}

TEST(Order, GoesThroughAllInEveryEpochInAnOrderOfItsOwn) {
  const Order order(10, 4, 7), other(10, 4, 8);
  std::vector<Index> first, second, elsewhere;
  for (Index n = 0; n < 5; ++n) {  // two epochs: 20 examples
    for (const Index i : order(n)) (first.size() < 10 ? first : second).push_back(i);
    for (const Index i : other(n))
      if (elsewhere.size() < 10) elsewhere.push_back(i);
  }
  for (const auto* epoch : {&first, &second}) EXPECT_EQ(std::set<Index>(epoch->begin(), epoch->end()).size(), 10u);
  EXPECT_NE(first, second);
  EXPECT_NE(first, elsewhere);
  const Order fresh(10, 4, 7);
  EXPECT_EQ(fresh(3), order(3));  // whoever asks, and in whatever order
  EXPECT_EQ(Order(3, 2, 1, false)(1), (std::vector<Index>{2, 0}));
  EXPECT_THROW(Order(0, 1, 1), ValueError);
}

}  // namespace
}  // namespace graft::train
