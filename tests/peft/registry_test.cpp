// The list of methods is whole, and options by name are taken, refused and described as their methods say.
#include "peft/registry.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "peft/inside/file_format.h"
#include "peft/lora.h"
#include "peft/prefix.h"
#include "tests/here.h"
#include "tests/tokenizer/fixture.h"

namespace graft {
namespace {

template <class M>
M made(const std::string& word, const peft::Options& options, const Tokenizer* tokenizer = nullptr) {
  const peft::MethodRow& row = peft::method_row(word);
  peft::expect_options(row, options);
  peft::OptionReader reader(row.title, options, tokenizer);
  return dynamic_cast<const M&>(*row.make(reader));
}

std::string refusal(const std::string& word, const peft::Options& options) {
  try {
    peft::expect_options(peft::method_row(word), options);
  } catch (const ValueError& e) { return e.what(); }
  return "";
}

std::string read(const std::string& file) {
  std::ifstream in(file);
  EXPECT_TRUE(in) << file;
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(Registry, EveryRowIsWhole) {
  std::set<std::string> words, titles;
  for (const peft::MethodRow& row : peft::methods()) {
    SCOPED_TRACE(row.word);
    EXPECT_TRUE(words.insert(row.word).second);
    EXPECT_TRUE(titles.insert(row.title).second);
    for (const char* language : {".md", ".zh.md"}) {
      const std::string stem = row.page.substr(0, row.page.size() - 3), file = stem.substr(stem.rfind('/') + 1) + language;
      EXPECT_TRUE(std::filesystem::exists(here::root() + "/" + stem + language)) << stem;
      EXPECT_NE(read(here::root() + "/docs/methods/README" + language).find("](" + file + ")"), std::string::npos)
          << "the table of methods does not lead to " << file;
    }
    EXPECT_GT(row.rate, 0);
    EXPECT_TRUE(row.generates || row.classifies);
    peft::OptionReader none(row.title);
    const std::shared_ptr<const peft::Method> method = row.make(none);
    EXPECT_TRUE(method->in_place() ? !row.file : row.file && row.file->holds(*method)) << "its file format is another's";
    std::set<std::string> names;
    for (const peft::OptionInfo& option : peft::options_of(row)) {
      EXPECT_TRUE(names.insert(option.name).second) << option.name << " is taken twice";
      EXPECT_FALSE(option.what.empty());
      if (!option.usual.empty()) { EXPECT_EQ(option.check(option.usual), "") << option.name << " cannot be its default"; }
    }
  }
  EXPECT_GE(words.size(), 17u);
}

TEST(Registry, ListsWhatThereIs) {
  try {
    peft::method_row("magic");
    FAIL();
  } catch (const ValueError& e) {
    EXPECT_EQ(std::string(e.what()).rfind("there is no method \"magic\", but full, probe, bitfit", 0), 0u) << e.what();
  }
}

TEST(Options, AreTakenByTheirNames) {
  const auto lora = made<peft::Lora>(
      "lora", {{"r", 4}, {"alpha", 6.5}, {"dropout", 0.1f}, {"targets", "q,k,v"}, {"init", "gaussian"}});
  EXPECT_EQ(lora.r, 4);
  EXPECT_EQ(lora.alpha, real(6.5));
  EXPECT_FLOAT_EQ(static_cast<float>(lora.dropout), 0.1f);
  EXPECT_EQ(lora.targets, (std::vector<std::string>{"q", "k", "v"}));
  EXPECT_EQ(lora.init, peft::Lora::Init::gaussian);
  EXPECT_EQ(made<peft::Lora>("lora", {{"targets", std::vector<std::string>{"up", "attn.out"}}}).targets,
            (std::vector<std::string>{"up", "attn.out"}));
  const Tokenizer& tokenizer = ::fixture::tokenizer("gpt2");
  const auto prefix = made<peft::PrefixTuning>("prefix", {{"virtual", 5}, {"init", "words"}, {"text", "abc"}}, &tokenizer);
  ASSERT_EQ(prefix.words.size(), 5u);
  const std::vector<Id> ids = tokenizer.encode("abc");
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(prefix.words[i], ids[i % ids.size()]);
}

/// A number in C++ is read as the very same number.
TEST(Options, NumbersKeepTheirDigits) {
  for (const double x : {0.1, 1e-7, 5e-4, 12345678.9, 1.0 / 3}) EXPECT_EQ(std::stod(peft::OptionValue(x).text), x);
  for (const float x : {0.1f, 1e-7f, 1.0f / 3}) EXPECT_EQ(std::stof(peft::OptionValue(x).text), x);
  EXPECT_EQ(peft::OptionValue(100000).text, "100000");
}

TEST(Options, WhatAMethodDoesNotHaveOrCannotBeIsRefusedWithBothFacts) {
  EXPECT_EQ(refusal("lora", {{"virtual", 3}}), "LoRA has no option virtual; it has r, alpha, dropout, targets, init");
  EXPECT_EQ(refusal("pissa", {{"init", "olora"}}), "PiSSA has no option init; it has r, alpha, dropout, targets");
  EXPECT_EQ(refusal("bitfit", {{"r", 3}}), "BitFit has no option r; it has none");
  EXPECT_EQ(refusal("lora", {{"r", 0}}), "LoRA: r must be a whole number from 1 to 100000, not \"0\"");
  EXPECT_EQ(refusal("lora", {{"r", 2.5}}), "LoRA: r must be a whole number from 1 to 100000, not \"2.5\"");
  EXPECT_EQ(refusal("lora", {{"alpha", 0}}), "LoRA: alpha must be a number greater than 0, not \"0\"");
  EXPECT_EQ(refusal("lora", {{"dropout", "nan"}}), "LoRA: dropout must be a number from 0 to 0.99, not \"nan\"");
  EXPECT_EQ(refusal("lora", {{"init", "zero"}}), "LoRA: init must be one of kaiming, gaussian, pissa, olora, not \"zero\"");
  EXPECT_EQ(refusal("ensemble", {{"prompts", 1}}), "prompt ensemble: prompts must be a whole number from 2 to 1000, not \"1\"");
  EXPECT_EQ(refusal("lora", {{"targets", ""}}), "LoRA: targets must not be empty");
  EXPECT_EQ(refusal("ensemble", {{"prompts", 2}, {"virtual", 3}}), "");
  try {
    made<peft::PrefixTuning>("prefix", {{"init", "words"}, {"text", "abc"}});
    FAIL();
  } catch (const ValueError& e) { EXPECT_NE(std::string(e.what()).find("needs a tokenizer"), std::string::npos) << e.what(); }
}

}  // namespace
}  // namespace graft
