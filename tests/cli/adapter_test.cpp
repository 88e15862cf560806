// --adapter of logits, generate, evaluate and info, and graft merge, with adapters of PEFT and AdapterHub (tests/fixtures).
#include <nlohmann/json.hpp>

#include "autograd/sizes.h"
#include "formats/safetensors.h"
#include "nn/generate.h"
#include "peft/adapter_file.h"
#include "peft/lora.h"
#include "peft/prompt.h"
#include "tests/cli/models.h"
#include "tests/here.h"

namespace graft::testing {
namespace {

using Json = nlohmann::json;

std::string fixture(const std::string& name) { return here::fixtures() + "/" + name; }

std::vector<float> numbers(const std::string& file, const std::string& name) {
  const formats::Safetensors all(file);
  const auto* entry = all.find(name);
  if (!entry) return {};
  std::vector<float> v(static_cast<std::size_t>(entry->numel()));
  formats::read_numbers(*entry, v.data(), file);
  return v;
}
void expect_near(const std::vector<float>& a, const std::vector<float>& b, const std::string& what) {
  ASSERT_EQ(a.size(), b.size()) << what;
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 1e-4) << what << " " << i;
}

class Adapters : public ::testing::Test {
 protected:
  /// The ids of a reference as the file that `graft logits` wants.
  std::string ids_of(const std::string& reference, const std::string& name = "ids") {
    const auto v = numbers(reference, name);
    Json rows = Json::array({Json::array(), Json::array()});
    for (std::size_t i = 0; i < v.size(); ++i) rows[i / (v.size() / 2)].push_back(static_cast<int>(v[i]));
    write_file(folder / "ids.json", Json{{"ids", rows}}.dump());
    return (folder / "ids.json").string();
  }
  Result logits(const std::string& model, const std::string& adapter, const std::string& ids) {
    Arguments words{"logits", "--model", model, "--ids", ids, "--out", folder / "out.safetensors"};
    if (!adapter.empty()) words.insert(words.end(), {"--adapter", adapter});
    return graft(words);
  }
  /// A trained adapter on the tiny model with a tokenizer.
  template <class M>
  std::string made(const M& method, const std::string& name) {
    const Loaded loaded = load_model(tiny());
    Rng rng(4);
    const peft::Attached a = peft::attach(loaded, method, rng);
    for (const auto& p : peft::parameters(loaded, "default")) {
      Tensor t = p.second->own().value();
      for (Index i = 0; i < t.numel(); ++i) t.write()[i] += static_cast<real>(rng.normal());
    }
    peft::save_adapter(loaded, a, folder / name, "tiny");
    return folder / name;
  }
  /// A LoRA with the head of a classifier of a, b and c, on the tiny language model; without a classes.json of graft tune.
  std::string classifier(const std::string& name) {
    Loaded loaded = load_model(tiny());
    std::unique_ptr<Model> model(loaded.model);
    (void)loaded.root.release();
    model->output().take();
    Classifier all(std::move(model), {"a", "b", "c"}, -1);
    Rng rng(4);
    for (const auto& p : all.score->parameters()) p.second->set(normal(p.second->shape(), 0, 1, rng));
    peft::save_adapter(all, peft::attach(all, peft::Lora{}, rng), folder / name, "tiny");
    return folder / name;
  }
  TemporaryFolder folder;
};

TEST_F(Adapters, AFieldThatIsNotKnownIsRefusedUnlessItIsIgnored) {
  const std::string from = fixture("adapter_configs/alpha_regex"), to = folder / "adapter";
  std::filesystem::copy(from, to);
  Json config = Json::parse(read_file(to + "/adapter_config.json"));
  config["new_field"] = Json{{"on", true}}, config["newer"] = 3;
  write_file(to + "/adapter_config.json", config.dump());
  const std::string ids = ids_of(from + "/reference.safetensors"), model = fixture("models/llama");
  expect_fails(logits(model, to, ids), "new_field");
  const Arguments words{"logits",    "--model", model, "--ids",          ids,         "--out", folder / "out.safetensors",
                        "--adapter", to,        "--ignore-field", "newer", "--ignore-field", "new_field"};
  const Result r = graft(words);
  EXPECT_EQ(r.code, 0) << r;
  expect_near(numbers(folder / "out.safetensors", "logits"), numbers(from + "/reference.safetensors", "logits"), "logits");
  for (const char* command : {"generate", "evaluate", "merge", "classify", "info"})
    EXPECT_NE(graft({command, "--help"}).out.find("--ignore-field"), std::string::npos) << command;
}

/// Every command that puts an adapter on reads it without the field, also those that bring the head of a classifier.
TEST_F(Adapters, EveryCommandIgnoresTheField) {
  const std::string lora = made(peft::Lora{}, "lora"), classes = classifier("classes");
  write_file(folder / "text", "the cat sat on the mat");
  for (const std::string& adapter : {lora, classes}) {
    Json config = Json::parse(read_file(adapter + "/adapter_config.json"));
    config["new_field"] = 1;
    write_file(adapter + "/adapter_config.json", config.dump());
  }
  const std::vector<Arguments> all{
      {"generate", "--model", tiny(), "--prompt", "the", "--max-tokens", "2", "--adapter", lora},
      {"evaluate", "--model", tiny(), "--text", folder / "text", "--adapter", lora},
      {"merge", "--model", tiny(), "--out", folder / "merged", "--force", "--adapter", lora},
      {"merge", "--model", tiny(), "--out", folder / "merged", "--force", "--adapter", classes},
      {"classify", "--model", tiny(), "--text", "the cat", "--adapter", classes},
      {"info", tiny(), "--adapter", lora}};
  for (Arguments words : all) {
    const Result refused = graft(words);  // info has shown what the folder says of itself by then
    EXPECT_EQ(refused.code, 1) << words[0] << refused;
    EXPECT_NE(refused.err.find("new_field"), std::string::npos) << words[0] << refused;
    words.insert(words.end(), {"--ignore-field", "new_field"});
    const Result r = graft(words);
    EXPECT_EQ(r.code, 0) << words[0] << r;
  }
}

/// Whatever a stranger's file says: one line of a length that can be read, and nothing that a terminal takes for a command.
TEST_F(Adapters, MessagesQuoteFilesWithCare) {
  const std::string from = fixture("adapter_configs/alpha_regex"), to = folder / "adapter";
  std::filesystem::copy(from, to);
  const std::string ids = ids_of(from + "/reference.safetensors");
  const Json good = Json::parse(read_file(to + "/adapter_config.json"));
  std::string wide;
  for (int i = 0; i < 30'000; ++i) wide += "\xc3\xa4";
  for (const std::string& word : {std::string("\x1b[31m\n"), std::string("\xc2\x9b" "31m"), std::string(100'000, 'a'), wide}) {
    Json config = good;
    config["bias"] = word;
    write_file(to + "/adapter_config.json", config.dump());
    const Result r = logits(fixture("models/llama"), to, ids);
    EXPECT_EQ(r.code, 1);
    EXPECT_NE(r.err.find("bias"), std::string::npos);
    EXPECT_LT(r.err.size(), 4100u);
    EXPECT_EQ(std::count_if(r.err.begin(), r.err.end() - 1, [](unsigned char c) { return c < 0x20 || c == 0x7f; }), 0);
    EXPECT_EQ(r.err.find("\xc2\x9b"), std::string::npos);
    EXPECT_NO_THROW((void)Json(r.err).dump()) << "UTF-8";
  }
}

TEST_F(Adapters, LogitsAreThoseOfTheReference) {
  const std::pair<const char*, const char*> cases[] = {{"gpt2", "peft/lora_gpt2_all"},
                                                       {"gpt2", "peft/prompt_gpt2"},
                                                       {"gpt2_classifier", "peft/prefix_gpt2_classifier"},
                                                       {"llama", "peft/lora_llama_all_dora"},
                                                       {"llama", "peft/ia3_llama"},
                                                       {"llama", "peft/ptuning_mlp_llama"},
                                                       {"gpt2", "adapterhub/double_seq_bn_gpt2"},
                                                       {"llama", "adapterhub/par_bn_llama"}};
  for (const auto& [model, adapter] : cases) {
    const std::string reference = fixture(adapter) + "/reference.safetensors";
    const Result r = logits(fixture(std::string("models/") + model), fixture(adapter), ids_of(reference));
    ASSERT_EQ(r.code, 0) << r;
    expect_near(numbers(folder / "out.safetensors", "logits"), numbers(reference, "logits"), adapter);
  }
}

/// Where a row is padded on the right, ours is what the row gives without its padding (PEFT's may differ).
TEST_F(Adapters, PaddedRowsOfAClassifier) {
  for (const char* adapter : {"peft/lora_gpt2_classifier", "peft/prefix_gpt2_classifier", "peft/prompt_gpt2_classifier"}) {
    const std::string reference = fixture(adapter) + "/reference.safetensors", model = fixture("models/gpt2_classifier");
    ASSERT_EQ(logits(model, fixture(adapter), ids_of(reference, "padded_ids")).code, 0);
    const auto padded = numbers(folder / "out.safetensors", "logits");
    const auto v = numbers(reference, "padded_ids");
    Json row = Json::array();
    for (std::size_t i = v.size() / 2; i < v.size() - 3; ++i) row.push_back(static_cast<int>(v[i]));
    write_file(folder / "row.json", Json{{"ids", Json::array({row})}}.dump());
    ASSERT_EQ(logits(model, fixture(adapter), folder / "row.json").code, 0);
    const auto alone = numbers(folder / "out.safetensors", "logits");
    for (std::size_t l = 0; l < alone.size(); ++l) EXPECT_NEAR(padded[alone.size() + l], alone[l], 1e-4) << adapter;
  }
}

TEST_F(Adapters, MergedSaysTheSame) {
  for (const auto& [model, adapter] : {std::pair<const char*, const char*>{"gpt2", "lora_gpt2_all"},
                                       {"llama", "lora_llama_all_dora"},
                                       {"llama_classifier", "lora_llama_classifier"},
                                       {"gpt2", "lora_gpt2_bias_all"},
                                       {"gpt2", "lora_gpt2_table"}}) {
    const std::string reference = fixture(std::string("peft/") + adapter) + "/reference.safetensors";
    const Result m = graft({"merge", "--model", fixture(std::string("models/") + model), "--adapter",
                            fixture(std::string("peft/") + adapter), "--out", folder / adapter});
    ASSERT_EQ(m.code, 0) << m;
    const Result r = logits(folder / adapter, "", ids_of(reference));
    ASSERT_EQ(r.code, 0) << r;
    expect_near(numbers(folder / "out.safetensors", "logits"), numbers(reference, "logits"), adapter);
  }
}

/// PEFT's usual case: the head is in the adapter, the base is a plain language model.
TEST_F(Adapters, OfAClassifierOnALanguageModel) {
  for (const auto& [model, adapter] : {std::pair<const char*, const char*>{"models/llama", "tied/classes_llama"},
                                       {"models/gpt2", "tied/classes_gpt2"},
                                       {"models/gpt2", "tied/tags_gpt2"}}) {
    const std::string reference = fixture(adapter) + "/reference.safetensors";
    const Result r = logits(fixture(model), fixture(adapter), ids_of(reference));
    ASSERT_EQ(r.code, 0) << r;
    expect_near(numbers(folder / "out.safetensors", "logits"), numbers(reference, "logits"), adapter);
    const Result m =
        graft({"merge", "--model", fixture(model), "--adapter", fixture(adapter), "--out", folder / "merged", "--force"});
    ASSERT_EQ(m.code, 0) << m;
    const Result again = logits(folder / "merged", "", ids_of(reference));
    ASSERT_EQ(again.code, 0) << again;
    expect_near(numbers(folder / "out.safetensors", "logits"), numbers(reference, "logits"), adapter);
  }
  const Result info = graft({"info", fixture("models/llama"), "--adapter", fixture("tied/classes_llama")});
  EXPECT_NE(info.out.find("3 labels"), std::string::npos) << info;
  expect_fails(graft({"evaluate", "--model", fixture("models/llama"), "--adapter", fixture("tied/classes_llama"), "--text",
                      fixture("make_tied.py")}),
               "SEQ_CLS");
  expect_fails(graft({"generate", "--model", fixture("models/llama"), "--adapter", fixture("tied/classes_llama"), "--prompt", "a"}),
               "classes_llama is the adapter of a classifier (SEQ_CLS); use graft classify");
}

/// classify needs no classes.json of graft tune for that: the head says how many classes there are.
TEST_F(Adapters, OfAClassifierTellsClasses) {
  const auto words = [&](const std::string& model, const std::string& adapter) {
    return graft({"classify", "--model", model, "--adapter", adapter, "--text", "the cat sat", "--text", "the rat"});
  };
  classifier("adapter");
  const Result r = words(tiny(), folder / "adapter");
  ASSERT_EQ(r.code, 0) << r;
  EXPECT_EQ(r.out.find("LABEL_"), 0u) << r.out;

  write_file(folder / "adapter/classes.json", R"({"labels": ["a", "b", "c"], "words": [], "quantized": false})");
  const Result named = words(tiny(), folder / "adapter");
  ASSERT_EQ(named.code, 0) << named;
  std::string by_name = r.out;
  for (const auto& [label, name] : {std::pair<std::string, const char*>{"LABEL_0", "a"}, {"LABEL_1", "b"}, {"LABEL_2", "c"}})
    for (std::size_t at = 0; (at = by_name.find(label)) != std::string::npos;) by_name.replace(at, label.size(), name);
  EXPECT_EQ(named.out, by_name);
  ASSERT_EQ(graft({"merge", "--model", tiny(), "--adapter", folder / "adapter", "--out", folder / "named"}).code, 0);
  EXPECT_EQ(load_model(folder / "named").classifier->labels, (std::vector<std::string>{"a", "b", "c"}));
}

TEST_F(Adapters, GenerateAndEvaluate) {
  peft::PromptTuning prompt;
  prompt.length = 6, prompt.init = peft::PromptTuning::Init::random;
  peft::Lora lora;
  lora.r = 4, lora.alpha = 16;
  write_file(folder / "text", "the cat sat on the mat and the rat sat on the cat.");
  const Result plain = graft({"generate", "--model", tiny(), "--prompt", "the cat", "--max-tokens", "12", "--quiet"});
  const Result score = graft({"evaluate", "--model", tiny(), "--text", folder / "text"});
  ASSERT_EQ(plain.code + score.code, 0) << plain << score;
  for (const std::string& adapter : {made(prompt, "prompt"), made(lora, "lora")}) {
    const Result r =
        graft({"generate", "--model", tiny(), "--adapter", adapter, "--prompt", "the cat", "--max-tokens", "12", "--quiet"});
    EXPECT_EQ(r.code, 0) << r;
    EXPECT_NE(r.out, plain.out);
    const Result s = graft({"evaluate", "--model", tiny(), "--adapter", adapter, "--text", folder / "text"});
    EXPECT_EQ(s.code, 0) << s;
    EXPECT_NE(s.out, score.out);
    EXPECT_NE(s.out.find("perplexity"), std::string::npos);
  }
  // The prompt takes 6 of the 64 positions, also where nobody says how many tokens are wanted.
  const std::string words = "the cat sat on the mat and the cat ate the rat";
  Rng rng(1);
  const Loaded loaded = load_model(tiny());
  peft::load_adapter(loaded, folder / "prompt");
  const Tokenizer tokenizer = load_tokenizer_of(tiny());
  const std::vector<TokenId> ids = tokenizer.encode(words);
  GenerateOptions all;
  all.max_tokens = 64 - 6 - size_of(ids);
  const auto said = generate(*loaded.model, {{ids.begin(), ids.end()}}, all, rng)[0];
  const Result as_long = graft({"generate", "--model", tiny(), "--adapter", folder / "prompt", "--prompt", words, "--quiet"});
  EXPECT_EQ(as_long.code, 0) << as_long;
  EXPECT_EQ(as_long.out, tokenizer.decode({said.begin(), said.end()}, true) + "\n");
  const Result full =
      graft({"generate", "--model", tiny(), "--adapter", folder / "prompt", "--prompt", "the cat", "--max-tokens", "60"});
  expect_fails(full, "context");
}

TEST_F(Adapters, Info) {
  const Result alone = graft({"info", "--adapter", fixture("peft/lora_gpt2")});
  EXPECT_EQ(alone.code, 0) << alone;
  for (const char* word : {"LORA", "CAUSAL_LM", "tiny-gpt2", "192 in 4 tensors", "lora_A.weight [3, 8]"})
    EXPECT_NE(alone.out.find(word), std::string::npos) << word << alone;
  const Result both = graft({"info", fixture("models/gpt2"), "--adapter", fixture("peft/lora_gpt2")});
  EXPECT_EQ(both.code, 0) << both;
  for (const char* word : {"lora_A.default", "192 learning", "LORA"})
    EXPECT_NE(both.out.find(word), std::string::npos) << word << both;
  EXPECT_EQ(graft({"info"}).code, 2);
  expect_fails(graft({"info", "--adapter", fixture("models/gpt2")}), "adapter_config.json");
}

TEST_F(Adapters, WhatGoesWrongLeavesNothing) {
  const std::string ids = ids_of(fixture("peft/lora_gpt2/reference.safetensors"));
  expect_fails(logits(fixture("models/llama"), fixture("peft/lora_gpt2"), ids), "target_modules");
  expect_fails(logits(fixture("models/gpt2"), folder / "none", ids), "no such folder");
  const std::string model = fixture("models/gpt2");
  const auto merge = [&](const std::string& adapter) {
    return graft({"merge", "--model", model, "--adapter", fixture(adapter), "--out", folder / "merged"});
  };
  expect_fails(merge("peft/prompt_gpt2"), "cannot be merged");
  expect_fails(merge("adapterhub/seq_bn_gpt2"), "cannot be merged");
  expect_fails(merge("peft/lora_llama"), "target_modules");
  EXPECT_EQ(graft({"merge", "--model", model, "--out", folder / "merged"}).code, 2);
  EXPECT_EQ(folder.names(), std::vector<std::string>{"ids.json"});
}

}  // namespace
}  // namespace graft::testing
