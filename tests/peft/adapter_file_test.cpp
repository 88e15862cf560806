// Adapters of Hugging Face PEFT (tests/fixtures/peft, made by make_peft.py): logits, ten training steps, there and back, and
// what is refused.
#include "peft/adapter_file.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "autograd/ops.h"
#include "peft/lora.h"
#include "peft/p_tuning.h"
#include "peft/prefix.h"
#include "peft/prompt.h"
#include "peft/virtual_table.h"
#include "tests/formats/scratch_folder.h"
#include "tests/here.h"
#include "tests/nn/fixture.h"
#include "train/optimizer.h"

namespace graft {
namespace {

namespace fs = std::filesystem;
using fixture::Numbers;

bool hub(const std::string& name) { return name.find("_bn_") != std::string::npos; }
std::string folder_of(const std::string& name) {
  return here::fixtures() + (hub(name) ? "/adapterhub/" : "/peft/") + name;
}
std::string base_of(const std::string& name) {
  const auto config = fixture::json_of(folder_of(name) + "/adapter_config.json");
  return config.at(hub(name) ? "model_name" : "base_model_name_or_path").get<std::string>().substr(5);
}

/// The base, the adapter on it, and the reference.
struct Adapted {
  fixture::Built base;
  fixture::RawFile reference;
  Ids ids;

  explicit Adapted(const std::string& name)
      : base(fixture::build(base_of(name))),
        reference(fixture::read_raw(folder_of(name) + "/reference.safetensors")),
        ids(ids_of("ids")) {}
  peft::BaseModel host() {
    if (base.token_classifier) return *base.token_classifier;
    return base.classifier ? peft::BaseModel(*base.classifier) : peft::BaseModel(*base.model);
  }
  Ids ids_of(const std::string& what) const {
    const fixture::Raw& raw = reference.at(what);
    std::vector<Id> v;
    for (const double x : raw.numbers()) v.push_back(static_cast<Id>(x));
    Shape shape{raw.shape.back()};
    if (raw.shape.size() == 2) shape = shape.before(raw.shape[0]);
    return Ids(shape, v);
  }
  Numbers logits(const Ids& user) {
    const NoGrad no_grad;
    if (base.token_classifier) return table::numbers((*base.token_classifier)(user).value());
    return table::numbers(base.classifier ? (*base.classifier)(user).value()
                                          : (*base.model)(base.model->prompt_template(Batch{user})).value());
  }
  Variable loss() {
    if (base.token_classifier) return token_loss(*base.token_classifier, {ids, ids_of("classes")});
    if (!base.classifier) return language_loss(*base.model, ids, ids);
    return cross_entropy((*base.classifier)(ids), ids_of("classes"));
  }
  Numbers train(int steps) {
    train::AdamW adam(peft::learning(host()));
    Numbers losses;
    for (int i = 0; i < steps; ++i) {
      const Variable y = loss();
      losses.push_back(y.item());
      adam.clear_gradients();
      y.backward();
      adam.step(real(1e-2));
    }
    return losses;
  }
};

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const char* maker : {"/peft", "/adapterhub"})
    for (const auto& entry : fs::directory_iterator(here::fixtures() + maker))
      if (entry.is_directory()) all.push_back(entry.path().filename());
  std::sort(all.begin(), all.end());
  return all;
}

class PeftFixture : public testing::TestWithParam<std::string> {};

TEST_P(PeftFixture, Logits) {
  Adapted a(GetParam());
  const Numbers plain = a.logits(a.ids);
  peft::load_adapter(a.host(), folder_of(GetParam()));
  // PiSSA is converted to plain LoRA after training.
  const Numbers expected = a.reference.at(GetParam() == "lora_llama_pissa" ? "end_logits" : "logits").numbers();
  EXPECT_LE(fixture::apart(a.logits(a.ids), expected), 1e-4);
  if (plain.size() == expected.size()) { EXPECT_GT(fixture::apart(plain, expected), 1e-2) << "the adapter does something"; }
}

/// PEFT starts from the numbers in the file, its encoders from those in the reference; so do we, encoders included.
TEST_P(PeftFixture, TenTrainingSteps) {
  Adapted a(GetParam());
  const std::string& name = GetParam();
  const auto param = [&](const char* path) { return a.reference.at(std::string("start.prompt_encoder.") + path); };
  const auto give = [&](const std::string& path, const std::string& key) {
    const Numbers v = param(key.c_str()).numbers();
    Param& p = a.base.root->parameter(path);
    p.set(Tensor(p.shape(), std::vector<real>(v.begin(), v.end())));
  };
  Rng rng(1);
  if (name.find("projection") != std::string::npos) {
    peft::PrefixTuning prefix;
    prefix.length = 5, prefix.hidden = 6;
    peft::attach(a.host(), prefix, rng);
    give("memory.embedding.default", "embedding.weight");
    for (const char* part : {"transform.0.weight", "transform.0.bias", "transform.2.weight", "transform.2.bias"})
      give(std::string("memory.") + part + ".default", part);
  } else if (name.find("ptuning") != std::string::npos) {
    peft::PTuning p;
    p.prompt_template = peft::front_template(5), p.flavour = peft::PTuning::Flavour::peft, p.hidden = 6;
    const bool lstm = name.find("lstm") != std::string::npos;
    p.encoder = lstm ? peft::PTuning::Encoder::lstm : peft::PTuning::Encoder::mlp;
    peft::attach(a.host(), p, rng);
    for (const auto& named : peft::parameters(a.host(), "default")) {
      std::string key = named.first.substr(named.first.find('.') + 1);
      if (key.rfind("weight.", 0) == 0) continue;  // the head
      key.erase(key.find(".default"), 8);
      if (key == "embedding") key = "embedding.weight";
      give(named.first, key);
    }
  } else if (name == "lora_llama_pissa") {
    peft::Lora lora;
    lora.r = 3, lora.alpha = 5, lora.init = peft::Lora::Init::pissa;
    peft::attach(a.host(), lora, rng);
  } else {
    peft::load_adapter(a.host(), folder_of(name));
  }
  for (const auto& entry : a.reference) {  // the trained head, weight and perhaps bias
    if (entry.first.find("score") == std::string::npos && entry.first.find("classifier") == std::string::npos) continue;
    const std::string leaf = entry.first.substr(entry.first.rfind('.') + 1);
    const Numbers v = entry.second.numbers();
    Param& p = a.base.root->parameter((a.base.classifier ? "score." : "classifier.") + leaf + ".default");
    p.set(Tensor(p.shape(), std::vector<real>(v.begin(), v.end())));
  }
  Index trained = 0, ours = 0;
  for (const auto& entry : a.reference)
    if (entry.first.rfind("start.", 0) == 0) trained += entry.second.numel();
  for (const auto& p : peft::learning(a.host())) ours += p.second->numel();
  EXPECT_EQ(ours, trained) << "as many numbers learn";
  const Numbers expected = a.reference.at("losses").numbers(), losses = a.train(10);
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(losses[i], expected[i], 1e-4) << "step " << i;
  EXPECT_LE(fixture::apart(a.logits(a.ids), a.reference.at("end_logits").numbers()), 1e-3) << "where it ends";
}

TEST_P(PeftFixture, ThereAndBack) {
  const formats::ScratchFolder scratch;
  Adapted a(GetParam()), b(GetParam());
  const peft::Attached attached = peft::load_adapter(a.host(), folder_of(GetParam()));
  a.train(2);
  peft::save_adapter(a.host(), attached, scratch.path("out"));
  peft::load_adapter(b.host(), scratch.path("out"), "again");
  EXPECT_LE(fixture::apart(a.logits(a.ids), b.logits(b.ids)), sizeof(real) == 8 ? 1e-5 : 1e-6);  // files are in F32
  const auto keys = [](const std::string& path) {
    std::vector<std::string> all;
    const std::string file = hub(GetParam()) ? "/adapter.safetensors" : "/adapter_model.safetensors";
    for (const auto& entry : fixture::read_raw(path + file))
      all.push_back(fixture::replaced(entry.first, {{".a.", ".default."}}));
    return all;
  };
  EXPECT_EQ(keys(scratch.path("out")), keys(folder_of(GetParam()))) << "the tensors that PEFT writes";
}

INSTANTIATE_TEST_SUITE_P(All, PeftFixture, testing::ValuesIn(names()), [](const auto& c) { return c.param; });

}  // namespace
}  // namespace graft
