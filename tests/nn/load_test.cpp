// load_model() and save_model(): every tensor in its place, round trips, shards, dtypes, GGUF; files that are not what they say.
#include "autograd/sizes.h"
#include "nn/load.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "nn/layers.h"
#include "tests/nn/fixture.h"

namespace graft {
namespace {

using namespace fixture;
namespace fs = std::filesystem;

/// A folder of its own that disappears.
struct Scratch {
  fs::path path = fs::temp_directory_path() / fs::path(text("graft_load_", testing::UnitTest::GetInstance()->random_seed(), "_",
                                                            reinterpret_cast<std::uintptr_t>(this)));
  Scratch() { fs::create_directories(path); }
  ~Scratch() { fs::remove_all(path); }
  std::string at(const std::string& name) const { return (path / name).string(); }
};

Variable forward(const Loaded& l, const Ids& ids) {
  if (l.token_classifier) return (*l.token_classifier)(ids);
  return l.classifier ? (*l.classifier)(ids) : (*l.model)(ids);
}

void expect_same_parameters(const Module& a, const Module& b) {
  const auto ours = a.parameters(), theirs = b.parameters();
  ASSERT_EQ(ours.size(), theirs.size());
  for (std::size_t i = 0; i < ours.size(); ++i) {
    EXPECT_EQ(ours[i].first, theirs[i].first);
    EXPECT_EQ(ours[i].second->shape(), theirs[i].second->shape()) << ours[i].first;
    EXPECT_EQ(ours[i].second->value().values(), theirs[i].second->value().values()) << ours[i].first;
  }
}

class Load : public testing::TestWithParam<std::string> {};

TEST_P(Load, EveryNumberInItsPlace) {
  const Loaded l = load_model(path(GetParam()));
  expect_same_parameters(*l.root, *build(GetParam()).root);
  EXPECT_EQ(l.root->count(true), l.root->count(false));
  EXPECT_EQ(l.format, "Hugging Face folder");
  EXPECT_EQ(l.bos, 0);
  EXPECT_EQ(l.eos, 1);
  EXPECT_EQ(l.pad, 3);
  const NoGrad no_grad;
  const Golden golden(GetParam());
  EXPECT_LE(apart(table::numbers(forward(l, ids_of(golden.data["ids"])).value()), golden.tensors.at("logits").numbers()), 3e-5);
}

TEST_P(Load, RoundTrip) {
  const Scratch scratch;
  const Loaded l = load_model(path(GetParam()));
  save_model(l, scratch.at("copy"));
  const Loaded again = load_model(scratch.at("copy"));
  expect_same_parameters(*again.root, *l.root);
  const NoGrad no_grad;
  const Ids ids = row_of({5, 6, 7, 8});
  EXPECT_EQ(forward(again, ids).value().values(), forward(l, ids).value().values()) << "config.json changed the model";
}

TEST_P(Load, AModelThatNobodyLoadedIsSavedToo) {
  const Scratch scratch;
  const auto own = build(GetParam());
  Linear linear(2, 2, false);
  EXPECT_THROW(save_model(linear, scratch.at("linear")), ValueError);
  save_model(*own.root, scratch.at("own"));
  save_model(*own.root, scratch.at("own"));  // and is still its owner's
  const Loaded again = load_model(scratch.at("own")), reference = load_model(path(GetParam()));
  expect_same_parameters(*again.root, *own.root);
  if (own.classifier) { EXPECT_EQ(again.classifier->pad, own.classifier->pad) << "the padding id belongs to it"; }
  const NoGrad no_grad;
  const Ids ids = row_of({5, 6, 7, 8});
  EXPECT_EQ(forward(again, ids).value().values(), forward(reference, ids).value().values());
}

INSTANTIATE_TEST_SUITE_P(All, Load, testing::ValuesIn(names()), [](const auto& info) { return info.param; });

// --- a head beside tied embeddings -------------------------------------------------------------------------------------

/// A tied model whose file has a head (tests/fixtures/tied, made by make_tied.py), and what transformers computes from it.
struct Headed {
  Scratch scratch;
  RawFile reference;
  explicit Headed(const std::string& name) {
    const bool gpt2 = name.find("gpt2") != std::string::npos;
    const std::string base = gpt2 ? "gpt2" : "llama_tied", tied = here::fixtures() + "/tied/" + name;
    RawFile file = weights(base), head = read_raw(tied + "/head.safetensors");
    if (head.count("alone")) file.erase(gpt2 ? "transformer.wte.weight" : "model.embed_tokens.weight");
    file["lm_head.weight"] = head.begin()->second;
    fs::copy(path(base) + "/config.json", scratch.at("config.json"));
    write_raw(scratch.at("model.safetensors"), file);
    reference = read_raw(tied + "/reference.safetensors");
  }
  double error(const Loaded& l) const {
    std::vector<Id> ids;
    for (const double x : reference.at("ids").numbers()) ids.push_back(static_cast<Id>(x));
    const NoGrad no_grad;
    return apart(table::numbers((*l.model)(Ids({2, 7}, ids)).value()), reference.at("logits").numbers());
  }
};

TEST(LoadTied, AnotherHeadInTheFileIsKeptAndTold) {
  for (const char* name : {"other_head_llama", "other_head_gpt2"}) {
    const Headed h(name);
    const Loaded l = load_model(h.scratch.path.string());
    EXPECT_LE(h.error(l), 5e-5) << name;
    ASSERT_EQ(l.notes.size(), 1u) << name;
    for (const char* word : {"config.json", "model.safetensors", "lm_head.weight", "tie_word_embeddings"})
      EXPECT_NE(l.notes[0].find(word), std::string::npos) << l.notes[0];
    save_model(l, h.scratch.at("copy"));
    EXPECT_EQ(json_of(h.scratch.at("copy") + "/config.json").at("tie_word_embeddings"), false);
    const Loaded again = load_model(h.scratch.at("copy"));
    EXPECT_LE(h.error(again), 5e-5) << name;
    EXPECT_TRUE(again.notes.empty()) << "now the file and its configuration agree";
  }
}

TEST(LoadTied, TheSameHeadOrOnlyTheHeadIsTied) {
  for (const char* name : {"same_head_llama", "same_head_gpt2", "only_head_llama_file", "only_head_gpt2_file"}) {
    const Headed h(name);
    const Loaded l = load_model(h.scratch.path.string());
    EXPECT_LE(h.error(l), 5e-5) << name;
    EXPECT_TRUE(l.notes.empty()) << name;
    EXPECT_TRUE(l.root->parameter("head.weight").same(l.root->parameter("embed.weight"))) << name;
    save_model(l, h.scratch.at("copy"));
    EXPECT_EQ(json_of(h.scratch.at("copy") + "/config.json").at("tie_word_embeddings"), true);
    EXPECT_LE(h.error(load_model(h.scratch.at("copy"))), 5e-5) << name;
  }
}

TEST(LoadGguf, LogitsOfEveryBlockType) {
  for (const char* name : {"gguf_f32", "gguf_f16", "gguf_q4_0", "gguf_q4_1", "gguf_q8_0", "gguf_k"}) {
    const Loaded l = load_model(path(name) + ".gguf");
    const json known = json_of(path(name) + ".json");
    const NoGrad no_grad;
    const Tensor logits = (*l.model)(ids_of(known["ids"])).value();
    EXPECT_LE(apart(table::numbers(logits), known["logits"].get<Numbers>()), 1e-4) << name;
    const Index T = size_of(known["ids"][0]);
    EXPECT_GE(apart(rows_of(logits, T - 1, T), known["wrong"].get<Numbers>()), 0.1) << name << ": q and k as in the file";
    EXPECT_EQ(l.format, "GGUF");
  }
}

// --- files that are not what they say ----------------------------------------------------------------------------------

struct Broken {
  const char* name;
  const char* from;
  std::function<void(json& config, RawFile& file)> change;
  std::vector<std::string> names;  ///< what the message must hold, beside the folder
};
void PrintTo(const Broken& b, std::ostream* out) { *out << b.name; }

const std::vector<Broken> broken = {
    {"missing_tensor", "llama", [](json&, RawFile& f) { f.erase("model.norm.weight"); }, {"model.norm.weight"}},
    {"extra_tensor", "llama", [](json&, RawFile& f) { f["model.surprise"] = f["model.norm.weight"]; }, {"model.surprise"}},
    {"wrong_shape",
     "llama",
     [](json&, RawFile& f) {
       f["model.norm.weight"].shape = {3, 4};
     },
     {"model.norm.weight"}},
    {"transposed",
     "gpt2",
     [](json&, RawFile& f) {
       std::swap(f["transformer.h.0.mlp.c_fc.weight"].shape[0], f["transformer.h.0.mlp.c_fc.weight"].shape[1]);
     },
     {"transformer.h.0.mlp.c_fc.weight"}},
    {"integers", "llama", [](json&, RawFile& f) { f["model.norm.weight"].dtype = "I32"; }, {"model.norm.weight", "I32"}},
    {"unknown_model_type",
     "llama",
     [](json& c, RawFile&) { c["model_type"] = "mamba", c["architectures"] = {"MambaForCausalLM"}; },
     {"amba"}},
    {"odd_heads", "gpt2", [](json& c, RawFile&) { c["n_head"] = 3; }, {"3"}},
    {"groups_do_not_divide", "llama", [](json& c, RawFile&) { c["num_key_value_heads"] = 3; }, {"3"}},
    {"no_width", "llama", [](json& c, RawFile&) { c.erase("hidden_size"); }, {"hidden_size"}},
    {"width_is_a_text", "llama", [](json& c, RawFile&) { c["hidden_size"] = "12"; }, {"hidden_size"}},
    {"width_is_negative", "llama", [](json& c, RawFile&) { c["hidden_size"] = -12; }, {}},
    {"absurd_vocabulary", "llama", [](json& c, RawFile&) { c["vocab_size"] = 1LL << 40; }, {}},
    {"absurd_layers", "gpt2", [](json& c, RawFile&) { c["n_layer"] = 1LL << 40; }, {}},
    {"unknown_scaling", "llama_linear", [](json& c, RawFile&) { c["rope_scaling"]["rope_type"] = "yarn"; }, {"yarn"}},
    {"unknown_activation", "gpt2", [](json& c, RawFile&) { c["activation_function"] = "swoosh"; }, {"swoosh"}},
};

class LoadBroken : public testing::TestWithParam<Broken> {};

TEST_P(LoadBroken, IsATypedErrorThatNamesFileAndField) {
  const Broken& b = GetParam();
  const Scratch scratch;
  json config = json_of(path(b.from) + "/config.json");
  RawFile file = weights(b.from);
  b.change(config, file);
  std::ofstream(scratch.at("config.json")) << config.dump();
  write_raw(scratch.at("model.safetensors"), file);
  try {
    load_model(scratch.path.string());
    FAIL() << "it was loaded";
  } catch (const FormatError& e) {
    const std::string message = e.what();
    EXPECT_NE(message.find(scratch.path.string()), std::string::npos) << message;
    for (const std::string& name : b.names) EXPECT_NE(message.find(name), std::string::npos) << message;
  }
}
INSTANTIATE_TEST_SUITE_P(Kinds, LoadBroken, testing::ValuesIn(broken), [](const auto& i) { return std::string(i.param.name); });

TEST(LoadBrokenFiles, TruncatedMissingAndNotJson) {
  const Scratch scratch;
  fs::copy(path("llama"), scratch.path, fs::copy_options::recursive);
  fs::resize_file(scratch.at("model.safetensors"), fs::file_size(scratch.at("model.safetensors")) - 7);
  EXPECT_THROW(load_model(scratch.path.string()), FormatError);
  fs::remove(scratch.at("model.safetensors"));
  EXPECT_THROW(load_model(scratch.path.string()), Error);
  std::ofstream(scratch.at("config.json")) << "{";
  EXPECT_THROW(load_model(scratch.path.string()), FormatError);
  EXPECT_THROW(load_model(scratch.at("nowhere")), FileError);
  EXPECT_THROW(save_model(load_model(path("gpt2")), scratch.at("copy"), "I8"), ValueError);
}

}  // namespace
}  // namespace graft
