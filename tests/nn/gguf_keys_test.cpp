// Keys of GGUF files: those that change numbers are computed as llama.cpp does, or refused by name and value; those that say
// nothing, or say "off", change nothing. And the tokens that end a text.
#include <gtest/gtest.h>

#include <filesystem>

#include "nn/load.h"
#include "tests/formats/scratch_folder.h"
#include "tests/nn/fixture.h"
#include "tokenizer/tokenizer.h"

namespace graft {
namespace {

using namespace fixture;
namespace fs = std::filesystem;

template <class T>
std::string raw(T value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}
std::string with_length(const std::string& s) { return raw(static_cast<std::uint64_t>(s.size())) + s; }

struct Key {
  std::string name;
  std::variant<std::uint32_t, float, bool, std::string> value;
};

std::string bytes_of(const Key& key) {
  std::string all = with_length(key.name);
  if (const auto* u = std::get_if<std::uint32_t>(&key.value)) return all + raw(std::uint32_t{4}) + raw(*u);
  if (const auto* f = std::get_if<float>(&key.value)) return all + raw(std::uint32_t{6}) + raw(*f);
  if (const auto* b = std::get_if<bool>(&key.value)) return all + raw(std::uint32_t{7}) + raw(*b);
  return all + raw(std::uint32_t{8}) + with_length(std::get<std::string>(key.value));
}

/// gguf_f32.gguf with more keys; texts are replaced by others, which together have the same length.
class File {
 public:
  explicit File(std::vector<Key> keys, const std::vector<std::pair<std::string, std::string>>& renamed = {}) {
    std::ifstream in(path("gguf_f32") + ".gguf", std::ios::binary);
    std::string all(std::istreambuf_iterator<char>(in), {});
    for (const auto& [from, to] : renamed) all.replace(all.find(with_length(from)), from.size() + 8, with_length(to));
    std::string more;
    for (const Key& key : keys) more += bytes_of(key);
    const Key empty{"general.padding", std::string()};  // the numbers must stay at multiples of 32
    const std::size_t odd = (more.size() + bytes_of(empty).size()) % 32;
    more += bytes_of({empty.name, std::string((32 - odd) % 32, ' ')});
    std::uint64_t count;
    std::memcpy(&count, &all[16], 8);
    count += keys.size() + 1;
    std::memcpy(&all[16], &count, 8);
    all.insert(24, more);
    std::ofstream(path_, std::ios::binary) << all;
  }
  const std::string& name() const { return path_; }

 private:
  formats::ScratchFolder scratch_;  // of its own: other tests run at the same time
  std::string path_ = scratch_.path("keys.gguf");
};

Numbers logits(const std::string& path) {
  const NoGrad no_grad;
  const Loaded loaded = load_model(path);
  std::vector<Id> ids;
  for (Id i = 0; i < 24; ++i) ids.push_back(i % 7);
  return table::numbers((*loaded.model)(row_of(ids)).value());
}

const char *const type = "llama.rope.scaling.type", *const factor = "llama.rope.scaling.factor",
                  *const older = "llama.rope.scale_linear";

TEST(GgufKeys, AFactorIsLinearAsInLlamaCpp) {
  const Numbers plain = logits(path("gguf_f32") + ".gguf");
  const Numbers by_4 = logits(File({{type, std::string("linear")}, {factor, 4.f}}).name());
  EXPECT_GT(apart(by_4, plain), 0.01);
  for (const std::vector<Key>& keys : {std::vector<Key>{{factor, 4.f}},
                                       {{older, 4.f}},
                                       {{factor, 4.f}, {older, 8.f}},
                                       {{type, std::string("linear")}, {older, 4.f}}})
    EXPECT_EQ(logits(File(keys).name()), by_4) << keys[0].name;
  for (const std::vector<Key>& keys : {std::vector<Key>{{factor, 1.f}},
                                       {{factor, 0.f}, {older, 4.f}},
                                       {{type, std::string("none")}, {factor, 4.f}},
                                       {{type, std::string("linear")}},
                                       {{older, 0.f}}})
    EXPECT_EQ(logits(File(keys).name()), plain) << keys[0].name;
}

/// The angle of place p is p·θ^(-2j/d)/4: the frequencies of the scaled model are a quarter of the other's.
TEST(GgufKeys, AFactorSlowsTheRotation) {
  const Loaded plain = load_model(path("gguf_f32") + ".gguf"), scaled = load_model(File({{factor, 4.f}}).name());
  const auto a = plain.model->slots<Attention>(), b = scaled.model->slots<Attention>();
  ASSERT_EQ(a.size(), b.size());
  ASSERT_GE(a.size(), 1u);
  for (std::size_t i = 0; i < a.size(); ++i) {
    const std::vector<real> all = (*a[i].second)->sizes.frequencies.values();
    std::vector<real> slower;
    for (const real f : all) slower.push_back(f / 4);
    EXPECT_EQ((*b[i].second)->sizes.frequencies.values(), slower);
  }
}

TEST(GgufKeys, WhatSaysNothingOrOffIsHarmless) {
  const Numbers plain = logits(path("gguf_f32") + ".gguf");
  const File file({{"llama.logit_scale", 1.f},
                   {"llama.embedding_scale", 0.f},
                   {"llama.residual_scale", 1.f},
                   {"llama.rope.scaling.attn_factor", 1.f},
                   {"llama.attention.sliding_window", std::uint32_t{0}},
                   {"llama.attention.causal", true},
                   {"llama.expert_count", std::uint32_t{0}},
                   {"llama.expert_used_count", std::uint32_t{0}},
                   {"llama.expert_weights_scale", 2.f},
                   {"llama.use_parallel_residual", false},
                   {"llama.rope.scaling.finetuned", true},
                   {"llama.tensor_data_layout", std::string("Meta AI original pth")},
                   {"general.anything", 3.f},
                   {"tokenizer.chat_template", std::string("{{ x }}")},
                   {"tokenizer.chat_template.tool_use", std::string("y")},
                   {"quantize.imatrix.file", std::string("z")},
                   {"split.count", std::uint32_t{0}},
                   {"tokenizer.ggml.add_space_prefix", false}});
  EXPECT_EQ(logits(file.name()), plain);
  // a window that the context never leaves, and the scale that attention has anyway: heads of 4
  EXPECT_EQ(logits(File({{"llama.attention.sliding_window", std::uint32_t{48}}, {"llama.attention.scale", 0.5f}}).name()),
            plain);
}

TEST(GgufKeys, WhatChangesNumbersIsRefusedByNameAndValue) {
  const struct {
    Key key;
    const char* says;
  } all[] = {
      {{"llama.logit_scale", 0.5f}, "llama.logit_scale is 0.5"},
      {{"llama.embedding_scale", 12.f}, "llama.embedding_scale is 12"},
      {{"llama.residual_scale", 0.2f}, "llama.residual_scale is 0.2"},
      {{"llama.attention.scale", 0.25f}, "llama.attention.scale is 0.25"},
      {{"llama.attention.causal", false}, "llama.attention.causal is false"},
      {{"llama.attention.sliding_window", std::uint32_t{8}}, "llama.attention.sliding_window is 8"},
      {{"llama.attention.clamp_kqv", 8.f}, "llama.attention.clamp_kqv is 8"},
      {{"llama.attention.something_new", 1.f}, "llama.attention.something_new is 1"},
      {{"llama.rope.scaling.attn_factor", 1.2f}, "llama.rope.scaling.attn_factor is 1.2"},
      {{"llama.rope.dimension_sections", std::uint32_t{4}}, "llama.rope.dimension_sections is 4"},
      {{"llama.expert_count", std::uint32_t{8}}, "llama.expert_count is 8"},
      {{"llama.final_logit_softcapping", 30.f}, "llama.final_logit_softcapping is 30"},
      {{"llama.tensor_data_layout", std::string("other")}, "llama.tensor_data_layout is \"other\""},
      {{"tokenizer.ggml.precompiled_charsmap", std::string("x")}, "tokenizer.ggml.precompiled_charsmap is \"x\""},
      {{"adapter.type", std::string("lora")}, "adapter.type is \"lora\""},
      {{"split.count", std::uint32_t{2}}, "split.count is 2"},
      {{type, std::string("yarn")}, "llama.rope.scaling.type is \"yarn\""},
      {{factor, -2.f}, "llama.rope.scaling.factor is -2"},
      {{older, std::numeric_limits<float>::quiet_NaN()}, "llama.rope.scale_linear is nan"},
  };
  for (const auto& row : all) {
    const File file({row.key});
    try {
      load_model(file.name());
      ADD_FAILURE() << row.key.name << " was loaded";
    } catch (const FormatError& e) {
      const std::string message = e.what();
      EXPECT_NE(message.find(row.says), std::string::npos) << message;
      EXPECT_EQ(message.rfind(file.name(), 0), 0u) << message;
    }
  }
}

/// <|im_end|> is the last token of the fixture, and its eos; <|im_start|> the one before it.
TEST(GgufKeys, AllEndsEndAText) {
  const Loaded plain = load_model(path("gguf_f32") + ".gguf");
  const Id end = static_cast<Id>(plain.model->vocabulary()) - 1;
  EXPECT_EQ(plain.ends, std::vector<Id>{end});
  const Loaded more = load_model(
      File({{"tokenizer.ggml.eot_token_id", std::uint32_t{3}}, {"tokenizer.ggml.eom_token_id", std::uint32_t{5}}}).name());
  EXPECT_EQ(more.eos, end);
  EXPECT_EQ(more.ends, (std::vector<Id>{end, 3, 5}));
  // without the key, by its name, as in llama.cpp
  const Loaded named = load_model(File({}, {{"tokenizer.ggml.eos_token_id", "general.lost.eos_token_id.."}}).name());
  EXPECT_EQ(named.ends, std::vector<Id>{end});
  EXPECT_EQ(named.eos, end);
  const std::pair<std::string, std::string> lost{"tokenizer.ggml.eos_token_id", "general.lost.eos_token_id.."};
  EXPECT_EQ(load_model(File({}, {lost, {"<|im_start|>", "<end_of_utterance>"}, {"<|im_end|>", "</s>"}}).name()).ends,
            (std::vector<Id>{end - 1, end}));
  EXPECT_TRUE(load_model(File({}, {lost, {"<|im_end|>", "<|im_mid|>"}}).name()).ends.empty()) << "no name that means it";
  EXPECT_THROW(load_model(File({{"tokenizer.ggml.eot_token_id", std::uint32_t{99}}}).name()), FormatError);
}

TEST(GgufKeys, TheTokenizerIsReadWithThem) {
  const File file({{"tokenizer.chat_template", std::string("{{ x }}")}}, {{"tokenizer.ggml.pre", "general.lost..pre."}});
  const Tokenizer tokenizer = load_tokenizer_of(file.name());
  EXPECT_EQ(tokenizer.parts().chat_template, "{{ x }}");
  EXPECT_EQ(tokenizer.parts().pre, PreTokenizer::unnamed);
  EXPECT_EQ(tokenizer.parts().warnings.size(), 1u);
  EXPECT_EQ(json::parse(tokenizer.parts().beside.at("tokenizer_config.json")),
            json::parse(R"({"chat_template": "{{ x }}", "model_max_length": 48})"));
}

}  // namespace
}  // namespace graft
