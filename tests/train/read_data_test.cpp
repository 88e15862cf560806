// Files of data in every format: by their endings, right whatever they hold, and refused with a place and a next step.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "autograd/errors.h"
#include "formats/file.h"
#include "tests/formats/scratch_folder.h"
#include "tests/here.h"
#include "tests/train/words.h"
#include "tokenizer/chat.h"
#include "train/data.h"

namespace graft::train {
namespace {

class ReadData : public ::testing::Test {
 protected:
  Dataset read(const std::string& name, const std::string& content, const ReadOptions& options = {}) {
    formats::write_text(scratch.path(name), content);
    return read_dataset(scratch.path(name), tokenizer(), options);
  }
  void refused(const std::string& name, const std::string& content, const std::vector<std::string>& words) {
    try {
      read(name, content);
      ADD_FAILURE() << name << " is read:\n" << content.substr(0, 200);
    } catch (const FormatError& e) {
      const std::string said = e.what();
      for (const std::string& one : words) EXPECT_NE(said.find(one), std::string::npos) << said << "\nno " << one;
    }
  }
  formats::ScratchFolder scratch;
};

const std::string one = R"({"prompt": "the cat", "completion": " sat"})";
const std::string two = R"({"prompt": "the dog", "completion": " sat on"})";

TEST_F(ReadData, JsonIsReadAsWhatItIsWhateverTheEndingsLetters) {
  const std::string spread = "{\n  \"prompt\": \"the cat\",\n  \"completion\": \" sat\"\n}\n{\n  \"prompt\": \"the dog\",\n"
                             "  \"completion\": \" sat on\" }";
  for (const char* name : {"a.jsonl", "a.JSONL", "a.ndjson", "a.NdJson", "a.json", "a.JSON", "folder.txt.json"})
    for (const std::string& content :
         {one + "\n" + two + "\n", one + "\r\n\r\n" + two, "[" + one + "," + two + "]",
          "\n[\n " + one + " ,\n " + two + "\n]\n", spread, "\xef\xbb\xbf" + one + "\n" + two}) {
      SCOPED_TRACE(name + (": " + content));
      const Dataset d = read(name, content);
      ASSERT_EQ(d.kind, Dataset::Kind::completion);
      ASSERT_EQ(d.examples.size(), 2u);
      EXPECT_EQ(d.examples[0].prompt, "the cat");
      EXPECT_EQ(d.examples[0].reference, " sat");
      EXPECT_EQ(d.examples[1].reference, " sat on");
      EXPECT_TRUE(holds_records(scratch.path(name)));
    }
  EXPECT_EQ(read("b.json", one).examples.size(), 1u);
}

TEST_F(ReadData, ATextAloneIsAnExampleToGoOnWith) {
  ReadOptions options;
  options.end = 0;
  const Dataset json = read("a.jsonl", "{\"text\": \"the cat\\nsat\"}\n{\"text\": \"on\", \"source\": 3}\n", options);
  const Dataset table = read("a.csv", "source,text\n1,\"the cat\nsat\"\n2,on\n", options);
  for (const Dataset* d : {&json, &table}) {
    ASSERT_EQ(d->kind, Dataset::Kind::text);
    ASSERT_EQ(d->examples.size(), 2u);
    EXPECT_EQ(tokenizer().decode(d->examples[0].ids), "the cat\nsat<|endoftext|>");
    EXPECT_EQ(d->examples[0].ids, d->examples[0].labels);
  }
}

TEST_F(ReadData, TablesAreThoseThatPythonWrites) {
  std::ifstream in(here::fixtures() + "/tables.json");
  const nlohmann::json all = nlohmann::json::parse(in);
  ASSERT_EQ(all["files"].size(), 8u);
  for (const auto& file : all["files"]) {
    SCOPED_TRACE(file["content"].get<std::string>());
    const Dataset d = read("a" + file["ending"].get<std::string>(), file["content"]);
    ASSERT_EQ(d.kind, Dataset::Kind::labelled);
    ASSERT_EQ(d.examples.size(), all["rows"].size());
    for (std::size_t i = 0; i < d.examples.size(); ++i) {
      EXPECT_EQ(d.examples[i].prompt, all["rows"][i][0].get<std::string>());
      EXPECT_EQ(d.labels.at(static_cast<std::size_t>(d.examples[i].label)), all["rows"][i][1].get<std::string>());
    }
  }
  const Dataset pairs = read("b.CSV", "\xef\xbb\xbf prompt , completion\rthe cat, sat\r\rthe dog,\" on \"\"it\"\"\"");
  ASSERT_EQ(pairs.examples.size(), 2u);
  EXPECT_EQ(pairs.examples[0].reference, " sat");
  EXPECT_EQ(pairs.examples[1].reference, " on \"it\"");
  EXPECT_EQ(read("c.tsv", "text\tlabel\n5\" disk, said he\tx\nthe\ty\n").examples[0].prompt, "5\" disk, said he");
}

TEST_F(ReadData, TablesThatAreWrongAreToldWithTheLine) {
  refused("a.csv", "the cat,yes\nthe dog,no\n", {"line 1: the first row must name the columns", "\"the cat\", \"yes\""});
  refused("a.csv", "text;label\nthe cat;yes\n", {"separated by commas, not by ;"});
  refused("a.csv", "messages\n[]\n", {"Messages do not fit into a table"});
  refused("a.csv", "text,label,text\na,b,c\n", {"the column \"text\" is listed twice"});
  refused("a.csv", "text,label\n\"two\nlines\",a\nthe cat, the dog,b\n",
          {"line 4: 3 cells, but the first row names 2 columns"});
  refused("a.csv", "text,label\nthe \"cat\",a\n", {"line 2: a quotation mark inside"});
  refused("a.csv", "text,label\n\"the\" cat,a\n", {"line 2: there is text after the quotation mark"});
  refused("a.csv", "text,label\nthe,a\n\"cat,b\nthe,a\n", {"line 3: a cell begins with a quotation mark that is never closed"});
  refused("a.csv", "text,label\nthe cat,\n", {"line 2: \"label\" is empty"});
  refused("a.csv", "text,label\n", {"the file is empty"});
  refused("a.tsv", "", {"the file is empty"});
}

TEST_F(ReadData, WhatIsNoTextIsRefusedWithTheNextStep) {
  for (const char* ending : {"parquet", "arrow", "xlsx", "PARQUET"}) refused(std::string("a.") + ending, one, {"to_json("});
  for (const char* ending : {"gz", "zip", "zst", "jsonl.gz"}) refused(std::string("b.") + ending, one, {"unpack it first"});
  refused("a.pdf", "%PDF", {"save its text as .txt"});
  for (const char* ending : {"pkl", "npz", "safetensors", "gguf", "bin"})
    refused(std::string("c.") + ending, one, {"not plain text"});
  refused("a.txt", std::string("\x1f\x8b\x08\0\0", 5), {"packed by gzip", "unpack it first"});
  refused("a", "PAR1....PAR1", {"a Parquet file"});
  refused("a.txt", std::string("the cat\nsat\0on", 14), {"line 2: a NUL byte"});
  refused("a.txt", "caf\xe9", {"line 1, byte 4: the byte E9 is not valid UTF-8", "-f LATIN1"});
  refused("a.txt", "\xb4\xd3\xc7\xb0", {"line 1, byte 1: the byte B4 is not valid UTF-8", "GBK", "iconv -f GB18030 -t UTF-8"});
  refused("a.md", "the cat\nsat on \xe6\x9c", {"line 2, byte 8: the byte E6 is not valid UTF-8", "cut off?"});
  for (const char* name : {"a.txt", "a.text", "notes"})
    for (const std::string& content : {one + "\n" + two, "[\n" + one + "]", std::string("{\"text\": \"the cat\"}\n")})
      refused(name, content, {"read as plain text", ".jsonl"});
  EXPECT_EQ(read("b.txt", "{the cat} sat\n{\"on\": 3}\n").kind, Dataset::Kind::text);
  EXPECT_EQ(read("c.txt", "\xef\xbb\xbfthe cat").examples[0].ids, read("d.txt", "the cat").examples[0].ids);
  const std::string row = "{\"text\": \"\xe6\x9c\xa8\xc2\x85\xe2\x80\xa8 x\"}";  // U+0085 and U+2028 end no line
  EXPECT_EQ(read("e.jsonl", row).examples.size(), 1u);
}

TEST_F(ReadData, WhyItIsNoJsonIsSaidWithThePlace) {
  const auto wide = [](const std::string& words, bool big, const std::string& mark) {
    std::string all = mark;
    for (const char c : words) all += big ? std::string("\0", 1) + c : c + std::string("\0", 1);
    return all;
  };
  refused("a.jsonl", wide(one, false, "\xff\xfe"), {"UTF-16", "iconv -f UTF-16 "});
  refused("a.jsonl", wide(one, true, "\xfe\xff"), {"UTF-16"});
  refused("a.jsonl", wide(one, false, ""), {"UTF-16LE"});
  refused("a.txt", wide("the cat sat", true, ""), {"UTF-16BE"});
  refused("a.jsonl", std::string("\xff\xfe\0\0{\0\0\0", 8), {"UTF-32"});
  const std::string good = one + "\n";
  refused("a.jsonl", good + R"({"prompt": "é \ud83d b", "completion": "c"})",
          {"line 2, column 21", "its other half is missing"});
  refused("a.jsonl", R"({"prompt": "\ude00", "completion": "c"})", {"its other half is missing"});
  for (const char* word : {"NaN", "Infinity", "-Infinity"})
    refused("a.jsonl", good + good + R"({"prompt": "a", "completion": "b", "score": )" + word + "}",
            {"line 3, column 4", std::string(word) + " is not a JSON number", "null"});
  refused("a.jsonl", R"({"prompt": None, "completion": "b"})", {"None is Python's"});
  refused("a.jsonl", "{'prompt': 'a'}", {"line 1, column 2", "double quotes"});
  refused("a.jsonl", good + "{\"prompt\": \"caf\xe9\"}", {"line 2, byte 16: the byte E9 is not valid UTF-8", "LATIN1"});
  refused("a.jsonl", good + "{\"prompt\": \"a\"\n" + good, {"line 2, column 15: this is not valid JSON"});
  refused("a.json", "[" + good + "," + good, {"line 3", "a ] is missing"});
  refused("a.json", "[" + good + good + "]", {"line 2, column 1", "a comma or a ]"});
  refused("a.json", "[" + good + ",\n]", {"line 3, column 1: this is not valid JSON"});
  refused("a.json", "[" + good + "]\n]", {"line 3, column 1", "after the list"});
  refused("a.json", "[\n" + good + ", 3]", {"line 3: this is number"});
  refused("a.json", R"({"data": [{"text": "a"}]})", {"inside \"data\""});
  refused("a.json", R"({"text": ["a", "b"], "label": [0, 1]})", {"line 1: \"text\" is array", "an object for each example"});
  refused("a.json", R"({"text": "a", "label": 1e999})", {"line 1"});
  refused("a.json", std::string(100000, '[') + "1", {"line 1"});
}

TEST_F(ReadData, ALineOfASingleTokenIsToldAsSuch) {
  ReadOptions options;
  options.by_line = true;
  try {
    read("a.txt", "the cat\n.\n", options);
    FAIL();
  } catch (const FormatError& e) {
    EXPECT_NE(std::string(e.what()).find("line 2: the text gives a single token"), std::string::npos) << e.what();
  }
  options.end = 0;
  EXPECT_EQ(read("a.txt", "the cat\n.\n", options).examples.size(), 2u);
  refused("a.jsonl", R"({"prompt": "", "completion": "."})", {"a single token, which cannot be predicted"});
}

TEST_F(ReadData, AChatOfManyTurnsIsThatOfTheWholeTemplateAndTakesTimeInProportion) {
  std::vector<Message> messages;
  nlohmann::json list = nlohmann::json::array();
  for (int i = 0; i < 20000; ++i) {  // all turns anew for each turn would be 10^9 tokens
    messages.push_back({i % 2 ? "assistant" : "user", i % 3 ? "the cat\n" : "\n sat <|im_end|>"});
    list.push_back({{"role", messages.back().role}, {"content", messages.back().content}});
  }
  const Dataset d = read("a.jsonl", nlohmann::json{{"messages", list}}.dump());
  const std::vector<TokenId> all = chatml(tokenizer(), messages, false);
  EXPECT_EQ(d.examples[0].ids, std::vector<Id>(all.begin(), all.end()));
}

TEST_F(ReadData, TextsOfAnyFormat) {
  const std::vector<std::string> texts{"the cat", "the dog"};
  const std::map<std::string, std::string> files{{"a.txt", "\xef\xbb\xbfthe cat\r\n\nthe dog"},
                                                 {"a.jsonl", "{\"text\": \"the cat\"}\n{\"text\": \"the dog\"}"},
                                                 {"a.json", "[{\"text\": \"the cat\"}, {\"text\": \"the dog\"}]"},
                                                 {"a.csv", "id,text\n1,the cat\n2,the dog\n"}};
  for (const auto& [name, content] : files) {
    formats::write_text(scratch.path(name), content);
    EXPECT_EQ(read_texts(scratch.path(name)), texts) << name;
  }
}

}  // namespace
}  // namespace graft::train
