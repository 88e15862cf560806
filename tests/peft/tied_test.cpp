// Adapters that hold more than adapters (tests/fixtures/tied, made by make_tied.py): tables stored along, tied or not, and
// heads of classifiers on language models. PEFT's logits, there and back, folded into a model; and what is refused.
#include <gtest/gtest.h>

#include <filesystem>

#include "peft/adapter_file.h"
#include "peft/ia3.h"
#include "peft/lora.h"
#include "tests/formats/scratch_folder.h"
#include "tests/nn/fixture.h"
#include "tests/peft/methods.h"

namespace graft {
namespace {

namespace fs = std::filesystem;
using fixture::Numbers;

std::string folder_of(const std::string& name) { return here::fixtures() + "/tied/" + name; }
std::string base_of(const std::string& name) {
  const auto config = fixture::json_of(folder_of(name) + "/adapter_config.json");
  return fixture::path(config.at("base_model_name_or_path").get<std::string>().substr(5));
}

/// The adapters that PEFT can load on their base.
std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const auto& entry : fs::directory_iterator(here::fixtures() + "/tied"))
    if (fs::exists(entry.path() / "adapter_config.json") && fs::exists(entry.path() / "reference.safetensors"))
      all.push_back(entry.path().filename());
  std::sort(all.begin(), all.end());
  return all;
}

Ids ids_of(const fixture::RawFile& reference) {
  std::vector<Id> v;
  for (const double x : reference.at("ids").numbers()) v.push_back(static_cast<Id>(x));
  return Ids({reference.at("ids").shape[0], reference.at("ids").shape[1]}, v);
}

Numbers logits(const Loaded& l, const Ids& user) {
  const NoGrad no_grad;
  if (l.token_classifier) return table::numbers((*l.token_classifier)(user).value());
  return table::numbers(l.classifier ? (*l.classifier)(user).value()
                                     : (*l.model)(l.model->prompt_template(Batch{user})).value());
}

class Tied : public testing::TestWithParam<std::string> {
 protected:
  fixture::RawFile reference = fixture::read_raw(folder_of(GetParam()) + "/reference.safetensors");
  Ids ids = ids_of(reference);
  Numbers expected = reference.at("logits").numbers();
  formats::ScratchFolder scratch;
};

TEST_P(Tied, LogitsOfPeft) {
  Loaded l = load_model(base_of(GetParam()));
  const Numbers plain = logits(l, ids);
  const peft::Attached a = peft::load_adapter(l, folder_of(GetParam()));
  EXPECT_LE(fixture::apart(logits(l, ids), expected), 5e-5);
  l.model->select({});
  if (!l.classifier && !l.token_classifier) {
    EXPECT_EQ(logits(l, ids), plain) << "the base is what it was while the adapter is not selected";
  }
  l.model->select("default");
  peft::detach(l, a);
  if (!l.classifier && !l.token_classifier) { EXPECT_EQ(logits(l, ids), plain) << "and when it is off"; }
}

TEST_P(Tied, ThereAndBack) {
  Loaded a = load_model(base_of(GetParam())), b = load_model(base_of(GetParam()));
  peft::save_adapter(a, peft::load_adapter(a, folder_of(GetParam())), scratch.path("out"));
  peft::load_adapter(b, scratch.path("out"), "again");
  EXPECT_LE(fixture::apart(logits(b, ids), expected), 5e-5);
}

TEST_P(Tied, FoldedIntoAModel) {
  Loaded l = load_model(base_of(GetParam()));
  peft::load_adapter(l, folder_of(GetParam()));
  if (GetParam()[0] == 'p' || GetParam() == "classes_prompt") {  // what is in the input cannot be folded
    EXPECT_THROW(peft::merge_and_unload(l, "default"), ValueError);
    return;
  }
  peft::merge_and_unload(l, "default");
  save_model(l, scratch.path("whole"));
  const Loaded again = load_model(scratch.path("whole"));
  EXPECT_EQ(again.notes, std::vector<std::string>{}) << "config.json says whether the head is tied";
  EXPECT_LE(fixture::apart(logits(again, ids), expected), 5e-5);
}

INSTANTIATE_TEST_SUITE_P(All, Tied, testing::ValuesIn(names()), [](const auto& c) { return c.param; });

// --- what does not go together -------------------------------------------------------------------------------------------

struct TiedFiles : testing::Test {
  formats::ScratchFolder scratch;
  static std::string tensor(const std::string& module) { return "base_model.model." + module; }
  /// The adapter with other tensors.
  std::string changed(const std::string& name, const std::function<void(fixture::RawFile&)>& change) {
    const std::string to = scratch.path("changed");
    fs::remove_all(to);
    fs::copy(name.find('/') == std::string::npos ? folder_of(name) : here::fixtures() + "/" + name, to);
    fixture::RawFile file = fixture::read_raw(to + "/adapter_model.safetensors");
    change(file);
    fixture::write_raw(to + "/adapter_model.safetensors", file);
    return to;
  }
  /// Says all the words, and none of `unsaid`; the model is as it was.
  static void refuses(Loaded& l, const std::string& folder, const std::vector<std::string>& words,
                      const std::string& unsaid = "") {
    const std::string tree = l.root->tree();
    try {
      peft::load_adapter(l, folder);
      FAIL() << "loaded " << folder << " although " << words[0];
    } catch (const FormatError& e) {
      const std::string message = e.what();
      for (const std::string& word : words) EXPECT_NE(message.find(word), std::string::npos) << word << ": " << message;
      if (!unsaid.empty()) { EXPECT_EQ(message.find(unsaid), std::string::npos) << message; }
    }
    EXPECT_EQ(l.root->tree(), tree);
  }
};

TEST_F(TiedFiles, AResizedVocabularyNamesBothSizes) {
  Loaded llama = load_model(fixture::path("llama")), tied = load_model(fixture::path("llama_tied"));
  refuses(llama, folder_of("grown_llama"), {"embed_tokens", "47 rows", "has 43", "resize_token_embeddings"}, "another base");
  refuses(tied, folder_of("grown_saved_tied"), {"embed_tokens", "47 rows", "has 43", "resize_token"}, "another base");
}

TEST_F(TiedFiles, OneWeightOfTwoTables) {
  Loaded tied = load_model(fixture::path("llama_tied"));
  const auto other = [](const char* from, const char* to) {
    return [=](fixture::RawFile& f) { std::swap(f.at(tensor(from)).bytes[2], f.at(tensor(to)).bytes[6]); };
  };
  refuses(tied, changed("along_changed_tied", other("lm_head.weight", "lm_head.weight")), {"lm_head.weight", "tied"});
  refuses(tied, changed("peft/saved_llama_one", other("lm_head.weight", "lm_head.weight")), {"lm_head.weight", "tied"});
  Loaded plain = load_model(fixture::path("llama"));
  refuses(plain,
          changed("along_saved_llama", other("lm_head.modules_to_save.weight", "lm_head.modules_to_save.weight")),
          {"lm_head.modules_to_save.weight", "lm_head.weight", "differ"});
}

TEST_F(TiedFiles, SaysWhoIsWrong) {
  Loaded llama = load_model(fixture::path("llama"));
  const std::string k = tensor("model.layers.0.self_attn.k_proj.lora_A.weight"),
                    q = tensor("model.layers.0.self_attn.q_proj.lora_A.weight");
  refuses(llama, changed("along_llama", [&](auto& f) { f[k] = f[q]; }),
          {k, "model.layers.0.self_attn.k_proj, which this model has", "target_modules"}, "another base");
  const std::string norm = tensor("model.layers.1.input_layernorm.weight");
  refuses(llama, changed("along_llama", [&](auto& f) { f[norm] = f[q]; }), {norm, "which this model has", "modules_to_save"},
          "another base");
  refuses(llama, changed("along_llama", [&](auto& f) { f[tensor("model.layers.2.mlp.up_proj.lora_A.weight")] = f[q]; }),
          {"model.layers.2.mlp.up_proj", "no module of this llama model", "another base"});
  refuses(llama, changed("along_llama", [&](auto& f) { f[tensor("score.weight")] = f[q]; }), {"score.weight", "task_type"},
          "another base");
  refuses(llama, changed("classes_llama", [&](auto& f) { f.erase(tensor("score.weight")); }), {"SEQ_CLS", "score.weight"});
  refuses(llama, changed("classes_llama", [&](auto& f) { f[tensor("score.weight")].shape = {4, 9}; }), {"[4, 9]", "[4, 12]"});
  const auto endless = [&](auto& f) { f[tensor("score.weight")].shape = {Index(1) << 40, 0}, f[tensor("score.weight")].bytes = ""; };
  refuses(llama, changed("classes_llama", endless), {"[1099511627776, 0]", "12]"});  // takes no room in a file
}

TEST_F(TiedFiles, AModelWithAnAdapterIsMadeNoClassifier) {
  Loaded llama = load_model(fixture::path("llama"));
  const Ids ids({1, 3}, {4, 5, 6});
  peft::Lora lora;
  lora.targets = {"q", "head"};
  Rng rng(1);
  peft::attach(llama, lora, rng, "mine");
  table::move(llama, "mine");
  const Numbers before = logits(llama, ids);
  EXPECT_THROW(peft::load_adapter(llama, folder_of("classes_llama"), "other"), ValueError);
  EXPECT_EQ(logits(llama, ids), before);
  peft::detach(llama, "mine");
  EXPECT_NO_THROW(peft::load_adapter(llama, folder_of("classes_llama"), "other"));
}

TEST_F(TiedFiles, APackedTableIsNotReplaced) {
  Loaded l = load_model(here::fixtures() + "/models/gguf_q8_0.gguf");
  const Index V = l.model->vocabulary(), D = l.model->width();
  peft::Lora lora;
  lora.r = 2;
  Rng rng(1);
  const peft::Attached a = peft::attach(l, lora, rng, "mine");
  peft::save_adapter(l, a, scratch.path("plain"));
  peft::detach(l, a);
  fixture::RawFile file = fixture::read_raw(scratch.path("plain") + "/adapter_model.safetensors");
  file[tensor("model.embed_tokens.weight")] = {"F32", {V, D}, std::string(static_cast<std::size_t>(4 * V * D), '\0')};
  fixture::write_raw(scratch.path("plain") + "/adapter_model.safetensors", file);
  refuses(l, scratch.path("plain"), {"embed_tokens.weight", "packed"}, "another base");
}

// --- trained copies ------------------------------------------------------------------------------------------------------

TEST(TrainedCopies, OfAPackedModelComeBackFromTheFile) {
  const NoGrad no_grad;
  const Ids ids({1, 4}, {1, 2, 3, 4});
  const std::string gguf = here::fixtures() + "/models/gguf_q8_0.gguf";
  for (const bool as_one : {false, true}) {
    const formats::ScratchFolder scratch;
    const Loaded one = load_model(gguf), two = load_model(gguf);
    peft::Lora lora;
    lora.r = 2, lora.also = {"embed", "head", "layers.0.mlp.up", "norm"}, lora.as_one = as_one;
    Rng rng(1);
    const peft::Attached a = peft::attach(one, lora, rng);
    const Numbers before = logits(one, ids);
    table::move(one, "default");
    const Numbers moved = logits(one, ids);
    EXPECT_GT(fixture::apart(moved, before), 1e-2);
    peft::save_adapter(one, a, scratch.path("out"));
    peft::load_adapter(two, scratch.path("out"), "other");
    EXPECT_LE(fixture::apart(logits(two, ids), moved), 1e-4) << as_one;
  }
}

/// A table in the rows of one batch that use different adapters, against each adapter alone.
TEST(TrainedCopies, InRowsOfOneBatch) {
  const fixture::Built gpt2 = fixture::build("gpt2");
  Model& model = *gpt2.model;
  peft::Lora whole, dora;
  whole.also = {"embed", "head", "positions", "layers.0.mlp.up"};
  dora.targets = {"embed", "q", "up"}, dora.dora = true;
  Rng rng(1);
  peft::attach(model, whole, rng, "one");
  peft::attach(model, dora, rng, "two");
  table::move(model, "one");
  table::move(model, "two");
  const NoGrad no_grad;
  const std::vector<Id> row{5, 9, 30, 12};
  const auto alone = [&](const std::string& name) {
    model.select(name);
    return table::numbers(model(Ids({1, 4}, row)).value());
  };
  Numbers expected;
  for (const char* name : {"one", "two", ""}) {
    const Numbers mine = alone(name);
    expected.insert(expected.end(), mine.begin(), mine.end());
  }
  std::vector<Id> three;
  for (int i = 0; i < 3; ++i) three.insert(three.end(), row.begin(), row.end());
  model.select(Selection(std::vector<std::string>{"one", "two", ""}));
  EXPECT_LE(fixture::apart(table::numbers(model(Ids({3, 4}, three)).value()), expected), 1e-5);
}

TEST(TrainedCopies, ATargetDoesNotLearnWholeAsWell) {
  const fixture::Built gpt2 = fixture::build("gpt2");
  peft::Lora lora;
  lora.targets = {"q", "head"}, lora.also = {"head"};
  Rng rng(1);
  EXPECT_THROW(peft::attach(*gpt2.model, lora, rng), ValueError);
  lora.targets = {"q", "embed"}, lora.also = {"embed"};
  EXPECT_THROW(peft::attach(*gpt2.model, lora, rng), ValueError);
  peft::Ia3 ia3;
  ia3.also = {"nowhere"};
  EXPECT_THROW(peft::attach(*gpt2.model, ia3, rng), ValueError);
  EXPECT_TRUE(peft::names(*gpt2.model).empty());
}

}  // namespace
}  // namespace graft
