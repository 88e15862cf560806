// VeRA: its A and B are torch's, bit for bit; one of each size for all targets; and what its files cannot mean is refused. (That
// logits and ten steps of training are PEFT's is in adapter_file_test.cpp.)
#include "peft/vera.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "formats/safetensors.h"
#include "nn/gpt2.h"
#include "peft/adapter_file.h"
#include "tests/formats/scratch_folder.h"
#include "tests/here.h"
#include "tests/nn/fixture.h"
#include "tests/peft/methods.h"

namespace graft {
namespace {

namespace fs = std::filesystem;

std::string folder_of(const std::string& name) { return here::fixtures() + "/peft/" + name; }

/// The tensor's floats as they lie in the file.
std::vector<float> floats(const std::string& name, const std::string& tensor) {
  std::vector<float> all;
  for (const double x : fixture::read_raw(folder_of(name) + "/adapter_model.safetensors").at(tensor).numbers())
    all.push_back(static_cast<float>(x));
  return all;
}
std::vector<float> floats(const Tensor& t) {
  std::vector<float> all;
  for (Index i = 0; i < t.numel(); ++i) all.push_back(static_cast<float>(t[i]));
  return all;
}

TEST(Vera, DrawsWhatTorchDraws) {
  for (const char* name : {"vera_gpt2", "vera_llama"}) {
    const auto config = fixture::json_of(folder_of(name) + "/adapter_config.json");
    const auto file = fixture::read_raw(folder_of(name) + "/adapter_model.safetensors");
    const Index r = config.at("r"), in = file.at("base_model.vera_A").shape[1], out = file.at("base_model.vera_B").shape[0];
    const auto drawn = peft::VeraProjections::drawn(r, in, out, config.at("projection_prng_key").get<std::uint32_t>());
    EXPECT_EQ(floats(drawn->A()), floats(name, "base_model.vera_A")) << name;
    EXPECT_EQ(floats(drawn->B()), floats(name, "base_model.vera_B")) << name;
    EXPECT_NE(floats(peft::VeraProjections::drawn(r, in, out, 8)->A()), floats(name, "base_model.vera_A"));
  }
}

/// One A and one B for each size among the targets, and each is a part of the largest.
TEST(Vera, TargetsShareTheirMatrices) {
  const std::unique_ptr<Model> model = table::tiny_llama();
  table::randomize(*model);
  peft::Vera vera;
  vera.r = 3, vera.targets = {"q", "up", "down"};
  Rng rng(1);
  peft::attach(*model, vera, rng);
  std::set<const real*> As, Bs;
  for (const auto& slot : model->slots<Projection>())
    if (auto* wrapper = dynamic_cast<peft::VeraLinear*>(&**slot.second)) {
      const peft::VeraVectors& v = wrapper->entry("default");
      As.insert(v.A.value().data()), Bs.insert(v.B.value().data());
      EXPECT_EQ(v.A.shape(), (Shape{3, wrapper->in()}));
      EXPECT_EQ(v.B.shape(), (Shape{wrapper->out(), 3}));
      for (Index k = 0; k < 3; ++k)
        for (Index i = 0; i < wrapper->in(); ++i)
          EXPECT_EQ(v.A.value()[k * wrapper->in() + i], v.projections->A()[k * v.projections->A().cols() + i]);
      for (Index i = 0; i < 3 * wrapper->out(); ++i) EXPECT_EQ(v.B.value()[i], v.projections->B()[i]);
    }
  EXPECT_EQ(As.size(), 2u) << "8 and 10 wide";
  EXPECT_EQ(Bs.size(), 2u);
}

TEST(Vera, TrainsAsManyNumbersAsPeftCounts) {
  Gpt2 gpt2{Gpt2Config{}};
  for (const auto& p : gpt2.parameters()) p.second->set(Tensor(p.second->shape(), real(0.01)));
  peft::Vera vera;
  vera.targets = {"q", "k", "v"};
  Rng rng(1);
  peft::attach(gpt2, vera, rng);
  EXPECT_EQ(gpt2.count(true), fixture::json_of(here::fixtures() + "/peft/counts.json").at("vera").get<Index>());
}

/// On GPT-2, q and v alone are PEFT's c_attn with a b of 0 for k.
TEST(Vera, PartsOfAFusedModuleHaveTheirRowsOfB) {
  const fixture::Built built = fixture::build("gpt2"), again = fixture::build("gpt2");
  peft::Vera vera;
  vera.r = 4;
  Rng rng(1);
  const peft::Attached a = peft::attach(*built.model, vera, rng);
  table::move(*built.model, "default");
  const formats::ScratchFolder scratch;
  peft::save_adapter(*built.model, a, scratch.path("q_v"));
  peft::load_adapter(*again.model, scratch.path("q_v"));
  const Ids ids({1, 5}, {1, 2, 3, 4, 5});
  const NoGrad no_grad;
  EXPECT_LE(fixture::apart(table::numbers((*again.model)(ids).value()), table::numbers((*built.model)(ids).value())), 1e-6);
  const auto file = fixture::read_raw(scratch.path("q_v") + "/adapter_model.safetensors");
  const fixture::Numbers b = file.at("base_model.model.transformer.h.0.attn.c_attn.vera_lambda_b").numbers();
  const std::size_t D = b.size() / 3;
  for (std::size_t i = 0; i < b.size(); ++i) EXPECT_EQ(b[i] == 0, i / D == 1) << i;
}

struct VeraFile : testing::Test {
  const formats::ScratchFolder scratch;
  nlohmann::json config = fixture::json_of(folder_of("vera_llama") + "/adapter_config.json");
  void expect_refused(const std::string& weights, const std::vector<std::string>& words) {
    const std::string folder = scratch.path("adapter");
    fs::create_directories(folder);
    fs::copy_file(folder_of(weights) + "/adapter_model.safetensors", folder + "/adapter_model.safetensors",
                  fs::copy_options::overwrite_existing);
    std::ofstream(folder + "/adapter_config.json") << config;
    const fixture::Built base = fixture::build("llama");
    try {
      peft::load_adapter(*base.model, folder);
      ADD_FAILURE() << "not refused: " << config;
    } catch (const FormatError& e) {
      for (const std::string& word : words)
        EXPECT_NE(std::string(e.what()).find(word), std::string::npos) << word << ": " << e.what();
    }
    EXPECT_TRUE(peft::names(*base.model).empty());
  }
};

TEST_F(VeraFile, WithoutTheMatricesItPromises) {
  config = fixture::json_of(folder_of("vera_llama_drawn") + "/adapter_config.json");
  config["save_projection"] = true;
  expect_refused("vera_llama_drawn", {"base_model.vera_A", "save_projection"});
}
TEST_F(VeraFile, WithMatricesThatItDoesNotMean) {
  config["save_projection"] = false;
  expect_refused("vera_llama", {"vera_A"});
}
TEST_F(VeraFile, OfAnotherRank) {
  config["r"] = 1 << 30;
  expect_refused("vera_llama", {"vera_lambda_d", "1073741824"});
}
TEST_F(VeraFile, ForMoreTargetsThanItHas) {
  config["target_modules"] = {"q_proj", "up_proj"};
  expect_refused("vera_llama", {"up_proj"});
}
TEST_F(VeraFile, WithAFieldThatIsNotKnown) {
  config["use_noise"] = true;
  expect_refused("vera_llama", {"use_noise"});
}
TEST_F(VeraFile, WithBiasesOfAnotherMethod) {
  config["bias"] = "lora_only";
  expect_refused("vera_llama", {"bias", "vera_only"});
}

TEST(Vera, ProjectionsMustFitTheTargets) {
  const std::unique_ptr<Model> model = table::tiny_llama();
  table::randomize(*model);
  peft::Vera vera;
  vera.r = 3, vera.projections = peft::VeraProjections::drawn(3, 9, 8, 0);
  Rng rng(1);
  try {
    peft::attach(*model, vera, rng);
    FAIL();
  } catch (const ValueError& e) { EXPECT_NE(std::string(e.what()).find("these targets need"), std::string::npos) << e.what(); }
}

}  // namespace
}  // namespace graft
