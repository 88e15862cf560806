// The tokenizers, texts and ids of tests/fixtures/tokenizer.json, which make_tokenizer.py had from Hugging Face's library.
#pragma once
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "autograd/errors.h"
#include "tests/here.h"
#include "tokenizer/files.h"

namespace fixture {

using Json = nlohmann::json;
using Ids = std::vector<graft::TokenId>;
using Random = std::mt19937_64;

inline const Json& all() {
  static const Json read = Json::parse(std::ifstream(here::fixtures() + "/tokenizer.json"));
  return read;
}

/// gpt2; smollm (22 bytes have no token); added (special, late and other added tokens, a post-processor); whole (ignore_merges)
inline const Json& row(const std::string& name) {
  for (const Json& one : all().at("tokenizers"))
    if (one.at("name") == name) return one;
  throw std::logic_error("no fixture " + name);
}
inline graft::Tokenizer tokenizer(const std::string& name) {
  return graft::from_json(row(name).at("file").dump(), name + "'s tokenizer.json");
}

inline graft::PreTokenizer pre(const std::string& name) {
  return name == "smollm" ? graft::PreTokenizer::smollm : graft::PreTokenizer::gpt2;
}

/// What `act` throws as an E; "" and a failure if it does not.
template <class E, class Act>
std::string message(const Act& act) {
  try {
    act();
  } catch (const E& error) { return error.what(); } catch (const std::exception& error) {
    ADD_FAILURE() << "another error: " << error.what();
    return "";
  }
  ADD_FAILURE() << "no error";
  return "";
}

inline void expect_has(const std::string& text, const std::string& word) {
  EXPECT_NE(text.find(word), std::string::npos) << "found:       " << text << "\nshould have: " << word;
}

}  // namespace fixture
