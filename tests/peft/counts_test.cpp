// How many numbers each method trains on the shape of GPT-2 124M: as PEFT counts (tests/fixtures/peft/counts.json), or as the
// formula says where PEFT has no such method.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/here.h"
#include "tests/peft/methods.h"

namespace graft {
namespace {

/// All of GPT-2 small, every number alike: counting does not look at them.
Gpt2& gpt2() {
  static const std::unique_ptr<Gpt2> model = [] {
    auto m = std::make_unique<Gpt2>(Gpt2Config{});
    for (const auto& p : m->parameters()) p.second->set(Tensor(p.second->shape(), real(0.01)));
    return m;
  }();
  return *model;
}

template <class M>
Index count(const M& method) {
  Rng rng(1);
  const peft::Attached a = peft::attach(gpt2(), method, rng, "mine");
  const Index learning = gpt2().count(true);
  peft::detach(gpt2(), a);
  return learning;
}

TEST(Counts, TheBase) { EXPECT_EQ(gpt2().count(false), 124439808); }

TEST(Counts, AsPeftCounts) {
  std::ifstream file(here::fixtures() + "/peft/counts.json");
  const auto expected = nlohmann::json::parse(file);
  const auto fused = [](Index r, bool dora) {
    peft::Lora l;
    l.r = r, l.targets = {"q", "k", "v"}, l.fused = true, l.dora = dora;
    return count(l);
  };
  EXPECT_EQ(fused(8, false), expected.at("lora_r8"));
  EXPECT_EQ(fused(4, false), expected.at("lora_r4"));
  EXPECT_EQ(fused(8, true), expected.at("dora_r8"));
  peft::Ia3 ia3;
  ia3.outputs = {"q", "k", "v"};
  EXPECT_EQ(count(ia3), expected.at("ia3"));
  EXPECT_EQ(count(peft::LayerNormTuning{}), expected.at("layer_norm"));
  EXPECT_EQ(count(peft::PromptTuning{}), expected.at("prompt_20"));
  peft::PrefixTuning prefix;
  EXPECT_EQ(count(prefix), expected.at("prefix_10"));
  prefix.hidden = 512;
  EXPECT_EQ(count(prefix), expected.at("prefix_10_mlp_512"));
  peft::PTuning p;
  EXPECT_EQ(count(p), expected.at("ptuning_lstm_9_half")) << "the paper's encoder is PEFT's with d/2";
  p.flavour = peft::PTuning::Flavour::peft;
  EXPECT_EQ(count(p), expected.at("ptuning_lstm_9"));
  p.encoder = peft::PTuning::Encoder::mlp;
  EXPECT_EQ(count(p), expected.at("ptuning_mlp_9"));
}

TEST(Counts, ByFormula) {
  const Index d = 768, L = 12;
  peft::Lora lora;  // the paper's: an A for each of q and v
  lora.r = 4;
  EXPECT_EQ(count(lora), L * 2 * lora.r * (d + d));
  EXPECT_EQ(count(peft::Ia3{}), L * (2 * d + 4 * d));
  EXPECT_EQ(count(peft::BitFit{}), L * (2 * d + 4 * d + 4 * d + d) + d);  // norms, q k v out, up and down, the last norm
  for (const Index m : {48, 64}) {
    peft::BottleneckAdapter b;
    b.size = m;
    EXPECT_EQ(count(b), 2 * L * (2 * d * m + m + d));
    b.form = peft::BottleneckAdapter::Form::after_mlp;
    EXPECT_EQ(count(b), L * (2 * d * m + m + d));
  }
  EXPECT_EQ(count(peft::FullFineTuning{}), 124439808);
}

/// The rows of methods.h, but those that need a classifier, or whose start takes minutes (PiSSA's is a LoRA's count).
TEST(Counts, OfTheTable) {
  Index checked = 0;
  for (const table::MethodRow& row : table::methods()) {
    if (row.on_gpt2 < 0 || row.only_classifier || row.name == "pissa") continue;
    Rng rng(1);
    const peft::Attached a = row.attach(gpt2(), rng, "mine");
    EXPECT_EQ(gpt2().count(true), row.on_gpt2) << row.name;
    peft::detach(gpt2(), a);
    ++checked;
  }
  EXPECT_GE(checked, 15);
}

}  // namespace
}  // namespace graft
