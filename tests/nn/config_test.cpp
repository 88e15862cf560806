// config.json: both ways to write rotary options, several end tokens, sizes that cannot be.
#include "autograd/sizes.h"
#include "nn/config.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "nn/evaluate.h"
#include "nn/generate.h"
#include "nn/load.h"
#include "tests/formats/scratch_folder.h"
#include "tests/nn/fixture.h"

namespace graft {
namespace {

using fixture::json;

json config_of(const std::string& name) { return fixture::json_of(fixture::path(name) + "/config.json"); }
ModelConfig read(const json& c) { return read_config(c.dump(), "config.json"); }
void refused(const std::string& name, const char* field, const json& value, const std::string& word) {
  json c = config_of(name);
  c[field] = value;
  try {
    make_model(read(c));
    ADD_FAILURE() << name << " takes " << field << " = " << value;
  } catch (const Error& e) { EXPECT_NE(std::string(e.what()).find(word), std::string::npos) << e.what(); }
}

TEST(Config, RotaryOptionsInOneObject) {
  for (const char* name : {"llama", "llama_linear", "llama_llama3"}) {
    const json old = config_of(name);
    json fresh = old;  // as transformers 5 writes it
    json rope = old.at("rope_scaling").is_object() ? old.at("rope_scaling") : json{{"rope_type", "default"}};
    rope["rope_theta"] = 12345.0;
    fresh.erase("rope_theta"), fresh.erase("rope_scaling");
    fresh["rope_parameters"] = rope;
    json expected = old;
    expected["rope_theta"] = 12345.0;
    const auto a = std::get<LlamaConfig>(read(fresh).sizes), b = std::get<LlamaConfig>(read(expected).sizes);
    EXPECT_EQ(a.rope_theta, 12345.0) << name;
    EXPECT_EQ(a.rope_scaling.kind, b.rope_scaling.kind) << name;
    EXPECT_EQ(a.rope_scaling.factor, b.rope_scaling.factor) << name;
    EXPECT_EQ(a.rope_scaling.low_freq_factor, b.rope_scaling.low_freq_factor) << name;
    fresh["rope_theta"] = 10000.0;
    EXPECT_THROW(read(fresh), FormatError) << "said twice";
    fresh.erase("rope_theta");
    fresh["rope_parameters"]["partial_rotary_factor"] = 0.5;
    EXPECT_THROW(read(fresh), FormatError);
  }
}

TEST(Config, SeveralEndTokens) {
  json c = config_of("gpt2");
  c["eos_token_id"] = {1, 5, 7};
  EXPECT_EQ(read(c).ends, (std::vector<Id>{1, 5, 7}));
  EXPECT_EQ(read(json::parse(write_config(read(c), "float32"))).ends, (std::vector<Id>{1, 5, 7}));
  c["eos_token_id"] = {1, 500};  // beyond the vocabulary: none
  EXPECT_EQ(read(c).ends, std::vector<Id>{1});
  c["eos_token_id"] = nullptr;
  EXPECT_TRUE(read(c).ends.empty());
}

TEST(Config, SizesThatCannotBe) {
  refused("gpt2", "n_embd", -8, "n_embd");
  refused("gpt2", "n_layer", 3000000000LL, "n_layer");
  refused("gpt2", "n_positions", 2147483648LL, "n_positions");
  refused("gpt2", "vocab_size", 1e3, "vocab_size");
  refused("gpt2", "n_head", 3, "heads");
  refused("gpt2", "layer_norm_epsilon", -1, "eps");
  refused("gpt2", "layer_norm_epsilon", 2.5, "eps");
  refused("llama", "head_dim", 0, "head_dim");
  refused("llama", "head_dim", 5, "pairs");
  refused("llama", "head_dim", -4, "head_dim");
  refused("llama", "head_dim", 4000000000LL, "head_dim");
  refused("llama", "head_dim", 1 << 17, "heads of");
  refused("llama", "num_key_value_heads", 3, "evenly");
  refused("llama", "rms_norm_eps", "small", "rms_norm_eps");
  refused("gpt2_classifier", "id2label", json::object(), "id2label");
}

TEST(Config, NumbersThatAreNone) {
  const std::string whole = config_of("gpt2").dump(), eps = "\"layer_norm_epsilon\":";
  const std::size_t at = whole.find(eps) + eps.size();
  for (const char* number : {"NaN", "nan", "Infinity", "1e999", "-1e999"}) {
    std::string c = whole;
    c.replace(at, c.find(',', at) - at, number);
    EXPECT_THROW(read_config(c, "config.json"), FormatError) << number;
  }
}

TEST(Config, WhatGraftDoesNotUseIsWrittenAgain) {
  for (const auto& [name, dropout] : {std::pair<const char*, const char*>{"gpt2_classifier", "attn_pdrop"},
                                      {"llama_classifier", "attention_dropout"},
                                      {"llama_token_classifier", "attention_dropout"},
                                      {"gpt2", "attn_pdrop"}}) {
    const formats::ScratchFolder scratch;
    json c = config_of(name);
    c[dropout] = 0.35, c["problem_type"] = "multi_label_classification";
    std::filesystem::copy(fixture::path(name), scratch.path("from"));
    std::ofstream(scratch.path("from/config.json")) << c;
    save_model(load_model(scratch.path("from")), scratch.path("to"));
    const json written = fixture::json_of(scratch.path("to/config.json"));
    EXPECT_EQ(written.at(dropout), c[dropout]) << name;
    EXPECT_EQ(written.at("problem_type"), c["problem_type"]) << name;
    // Where the file says nothing: the defaults of transformers 4.57 (GPT2Config, LlamaConfig).
    c.erase(dropout), c["problem_type"] = nullptr;
    const json plain = json::parse(write_config(read(c), "float32"));
    EXPECT_EQ(plain.at(dropout), dropout == std::string("attn_pdrop") ? 0.1 : 0.0) << name;
    EXPECT_EQ(plain.count("problem_type"), 0u) << name;
  }
  refused("gpt2", "attn_pdrop", 1.5, "attention_dropout");
  refused("llama", "attention_dropout", -0.1, "attention_dropout");
  refused("gpt2_classifier", "problem_type", "ranking", "problem_type");
  refused("gpt2_classifier", "problem_type", 2, "problem_type");
}

TEST(Save, AsksBeforeEachTensorWhetherToGoOn) {
  const formats::ScratchFolder scratch;
  const Loaded l = load_model(fixture::path("gpt2"));
  std::vector<Index> asked;
  save_model(l, scratch.path("all"), "F32", nullptr, [&](Index done, Index all) {
    EXPECT_EQ(all, 2 * 12 + 4) << "c_attn is one";
    asked.push_back(done);
  });
  ASSERT_EQ(asked.size(), 28u);
  for (Index i = 0; i < 28; ++i) EXPECT_EQ(nth(asked, i), i);
  const auto stop = [](Index done, Index) {
    if (done == 5) throw 5;
  };
  EXPECT_THROW(save_model(l, scratch.path("none"), "F32", nullptr, stop), int);
  EXPECT_TRUE(std::filesystem::is_empty(scratch.path("none")));
}

TEST(Save, NumbersThatHalvesCannotHold) {
  const formats::ScratchFolder scratch;
  const Loaded l = load_model(fixture::path("gpt2"));
  Tensor w = l.root->parameter("layers.0.mlp.up.weight").value();
  w.write()[3] = 70000;
  EXPECT_THROW(save_model(l, scratch.path("half"), "F16"), ValueError);
  EXPECT_FALSE(std::filesystem::exists(scratch.path("half/config.json"))) << "no model was left behind";
  save_model(l, scratch.path("brain"), "BF16");
  EXPECT_NEAR(load_model(scratch.path("brain")).root->parameter("layers.0.mlp.up.weight").value()[3], 70000, 300);
}

// --- training mode ---------------------------------------------------------------------------------------------------------

TEST(Mode, ScoringAndGeneratingDropNothingAndSetItBack) {
  Gpt2Config c;
  c.vocabulary = 11, c.context = 12, c.dim = 8, c.layers = 1, c.heads = 2, c.dropout = c.embed_dropout = real(0.5);
  Gpt2 m(c);
  Rng rng(1), draws(2);
  m.initialize(rng);
  const std::vector<Id> ids{1, 2, 3, 4, 5, 6};
  GenerateOptions options;
  options.max_tokens = 4;
  const double calm = evaluate(m, ids).sum;
  const auto said = generate(m, {{1, 2}}, options, rng);
  m.training(&draws);
  EXPECT_EQ(evaluate(m, ids).sum, calm);
  EXPECT_EQ(generate(m, {{1, 2}}, options, rng), said);
  EXPECT_EQ(m.randomness(), &draws) << "training goes on";
  options.max_tokens = 50;
  EXPECT_THROW(generate(m, {{1, 2}}, options, rng), IndexError);
  EXPECT_EQ(m.randomness(), &draws) << "after an error, too";
}

TEST(Mode, AnyOfSeveralEndsARow) {
  const fixture::Built b = fixture::build("gpt2");
  GenerateOptions options;
  options.max_tokens = 8;
  Rng rng(1);
  const auto free = generate(*b.model, {{5, 6, 7}}, options, rng)[0];
  ASSERT_EQ(free.size(), 8u);
  const auto first = [&](Id id) { return static_cast<std::size_t>(std::find(free.begin(), free.end(), id) - free.begin()); };
  options.ends = {free[6], free[2]};
  const std::size_t end = std::min(first(free[6]), first(free[2]));
  EXPECT_EQ(generate(*b.model, {{5, 6, 7}}, options, rng)[0],
            std::vector<Id>(free.begin(), free.begin() + static_cast<long>(end) + 1));
}

}  // namespace
}  // namespace graft
