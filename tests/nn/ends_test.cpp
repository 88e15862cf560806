// The tokens that end a text, from wherever the files of a model name them, and the small files that are handed on.
#include <gtest/gtest.h>

#include <filesystem>

#include "nn/load.h"
#include "tests/formats/scratch_folder.h"
#include "tests/nn/fixture.h"
#include "tokenizer/files.h"
#include "tokenizer/train.h"

namespace graft {
namespace {

using namespace fixture;
namespace fs = std::filesystem;

class Ends : public testing::Test {
 protected:
  Ends() {
    fs::copy(path("llama"), folder, fs::copy_options::recursive);
  }
  void write(const std::string& name, const std::string& text) { std::ofstream(folder / name, std::ios::binary) << text; }
  void eos(const json& value) {
    json config = json_of((folder / "config.json").string());
    config["eos_token_id"] = value;
    if (value == "none") config.erase("eos_token_id");
    write("config.json", config.dump());
  }
  formats::ScratchFolder scratch;
  fs::path folder = scratch.path("model");
};

TEST_F(Ends, ThoseOfBothConfigurationsEndAText) {
  const struct {
    json config;
    const char* generation;
    std::vector<Id> ends;
  } all[] = {
      {1, R"({"eos_token_id": [5, 1], "bos_token_id": 0})", {1, 5}},
      {1, R"({"eos_token_id": 7})", {1, 7}},
      {nullptr, R"({"eos_token_id": [5, 7]})", {5, 7}},
      {"none", R"({"eos_token_id": 5})", {5}},
      {json::array({1, 2}), R"({"eos_token_id": null})", {1, 2}},
      {1, "{}", {1}},
      {1, R"({"eos_token_id": [100000, 4]})", {1, 4}},
      {nullptr, "{}", {}},
  };
  for (const auto& row : all) {
    SCOPED_TRACE(row.config.dump() + " " + row.generation);
    eos(row.config);
    write("generation_config.json", row.generation);
    const Loaded loaded = load_model(folder.string());
    EXPECT_EQ(loaded.ends, row.ends);
    EXPECT_EQ(loaded.eos, row.ends.empty() ? -1 : row.ends[0]);
    save_model(loaded, (folder / "copy").string());
    EXPECT_EQ(load_model((folder / "copy").string()).ends, row.ends);
    std::ifstream in(folder / "copy/generation_config.json");
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), row.generation);
  }
  for (const char* bad : {"{", "[]", R"({"eos_token_id": "x"})"}) {
    write("generation_config.json", bad);
    try {
      load_model(folder.string());
      ADD_FAILURE() << bad;
    } catch (const FormatError& e) {
      EXPECT_NE(std::string(e.what()).find("generation_config.json"), std::string::npos) << e.what();
    }
  }
}

TEST_F(Ends, ThatOfTheTokenizerIsLearned) {
  const Tokenizer trained = train_tokenizer({}, 270, PreTokenizer::gpt2, {"<|endoftext|>", "<|im_start|>", "<|im_end|>"});
  const auto with = [&](const json& config_eos, const char* tokenizer_config) {
    eos(config_eos);
    Loaded loaded = load_model(folder.string());
    add_ends(loaded, from_json(to_json(trained), "file", tokenizer_config));
    return std::make_pair(loaded.eos, loaded.ends);
  };
  using Found = std::pair<Id, std::vector<Id>>;
  const char* const im_end = R"({"eos_token": "<|im_end|>"})";
  EXPECT_EQ(with(nullptr, im_end), (Found{2, {2}}));
  EXPECT_EQ(with("none", im_end), (Found{2, {2}}));
  EXPECT_EQ(with(json::array({0, 1, 2}), im_end), (Found{2, {2, 0, 1}})) << "one of several";
  EXPECT_EQ(with(1, im_end), (Found{2, {2, 1}}));
  EXPECT_EQ(with(1, "{}"), (Found{1, {1}}));
  EXPECT_EQ(with(nullptr, "{}"), (Found{-1, {}}));
  EXPECT_EQ(with(1, ""), (Found{1, {1}})) << "<|endoftext|> is a guess";
  EXPECT_EQ(with(nullptr, ""), (Found{0, {0}}));
}

}  // namespace
}  // namespace graft
