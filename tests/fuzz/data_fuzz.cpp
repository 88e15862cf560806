// Mutations of files of data: JSON lines, lists, tables, chats and texts. What is read makes examples that a batch can hold.
#include "tests/fuzz/mutate.h"
#include "tokenizer/train.h"
#include "train/data.h"

namespace {

using graft::train::Dataset;

const graft::Tokenizer& tokenizer() {
  static const graft::Tokenizer one =
      graft::train_tokenizer({"the cat sat on the mat. user assistant"}, 270, graft::PreTokenizer::gpt2,
                             {"<|endoftext|>", "<|im_start|>", "<|im_end|>"});
  return one;
}

void use(const std::string& path, bool by_line) {
  graft::train::ReadOptions options;
  options.longest = 50, options.cut = true, options.by_line = by_line, options.end = 0;
  const Dataset data = graft::train::read_dataset(path, tokenizer(), options);
  ASSERT_FALSE(data.examples.empty());
  std::vector<graft::Index> all;
  for (const graft::train::Example& one : data.examples) {
    ASSERT_FALSE(one.ids.empty());
    ASSERT_LE(one.ids.size(), 50u);
    ASSERT_TRUE(one.labels.empty() || one.labels.size() == one.ids.size());
    all.push_back(static_cast<graft::Index>(all.size()));
  }
  (void)graft::train::batch(data, {0, all.back()}, 0);
}

const std::string pairs =
    R"({"prompt": "the caf\u00e9 \ud83d\ude00", "completion": " sat", "score": 1.5, "more": [null, {"a": true}]})"
    "\n"
    R"({"completion": "on \"the\" mat", "prompt": ""})"
    "\n";
const std::string chats =
    R"({"messages": [{"role": "user", "content": "the cat"}, {"role": "assistant", "content": "sat"}]})"
    "\n"
    R"({"messages": [{"role": "system", "content": ""}, {"role": "user", "content": "x"}, )"
    R"({"role": "assistant", "content": "<|im_end|>"}]})"
    "\n";
const std::string classes = "{\"text\": \"the cat\", \"label\": \"yes\"}\n{\"text\": \"the mat\", \"label\": 12}\n";
const std::string list =
    "[\n {\"prompt\": \"a\",\n \"completion\": \"b\"}, {\"prompt\": \"\xE6\x9C\xA8\", \"completion\": \"[1]\"}\n]\n";

void mutate(const char* name, const std::vector<std::string>& corpus, bool by_line = false) {
  fuzz::run(corpus, testing::TempDir() + "graft_fuzz_" + name, fuzz::cases(3000), 64, 400,
            [=](const std::string& path) { use(path, by_line); });
}

TEST(Fuzz, DataInJsonLines) { mutate("d.jsonl", {pairs, chats, classes, "{\"text\": \"the cat\"}\n{\"text\": \"sat\"}\n"}); }
TEST(Fuzz, DataInJson) {
  mutate("d.json", {list, pairs, "[" + chats.substr(0, chats.find('\n')) + "]", "{\n\"text\": \"a b\"\n}"});
}
TEST(Fuzz, DataInTables) {
  mutate("d.csv", {"text,label\r\n\"the \"\"cat\"\", sat\",yes\r\n\"two\nlines\",no\r\n",
                   "prompt,completion,id\nthe cat, sat,1\n\n,on,2\n", "text\nthe cat\n\"\"\"\"\n"});
}
TEST(Fuzz, DataInText) {
  const std::vector<std::string> corpus{"the cat sat\non the mat\r\n\r\n", "\xEF\xBB\xBF{the}\n\xE6\x9C\xA8 mat", pairs};
  for (const bool by_line : {false, true}) mutate("text.txt", corpus, by_line);
}

}  // namespace
