// find() reaches the wrapper in a slot, and delta() is what merging adds to W.
#include "peft/find.h"

#include <gtest/gtest.h>

#include "autograd/compare.h"
#include "autograd/ops.h"
#include "nn/gpt2.h"
#include "peft/ia3.h"
#include "peft/lora.h"

namespace {

using namespace graft;

struct Find : testing::Test {
  Gpt2 model{config()};
  Rng rng{1};
  static Gpt2Config config() {
    Gpt2Config c;
    c.vocabulary = 11, c.context = 8, c.dim = 8, c.layers = 2, c.heads = 2;
    return c;
  }
  Find() { model.initialize(rng); }
  void attach(const std::string& name) {
    peft::Lora lora;
    lora.r = 2, lora.alpha = real(6);
    peft::attach(model, lora, rng, name);
    for (const auto& p : peft::parameters(model, name)) p.second->set(normal(p.second->shape(), 0, 1, rng));
  }
};

TEST_F(Find, DeltaIsWhatMergingAddsAndScaleTimesBTimesA) {
  attach("default");
  attach("other");
  for (const std::string name : {"default", "other"}) {
    auto& q = peft::find<peft::LoraLinear>(model, "layers.1.attn.q");
    const Tensor W = q.base->dense(), delta = q.delta(name);
    const peft::LoraPair& pair = q.entry(name);
    for (Index i = 0; i < 8; ++i)
      for (Index j = 0; j < 8; ++j) {
        double sum = 0;
        for (Index k = 0; k < 2; ++k) sum += static_cast<double>(pair.B.value().at({i, k})) * static_cast<double>(pair.A.value().at({k, j}));
        EXPECT_NEAR(static_cast<double>(delta.at({i, j})), 3 * sum, 1e-5);
      }
    peft::merge(model, name);
    EXPECT_LE(largest_difference((q.base->dense() - W).value(), delta), real(1e-6));
    peft::unmerge(model, name);
  }
}

TEST_F(Find, ReachesBelowOtherWrappers) {
  attach("default");
  peft::attach(model, peft::Ia3(), rng, "more");
  EXPECT_EQ(peft::find<peft::LoraLinear>(model, "layers.0.attn.v").names(), std::vector<std::string>{"default"});
}

void says(const std::function<void()>& f, const std::vector<std::string>& parts) {
  try {
    f();
    FAIL() << "nothing was thrown";
  } catch (const ValueError& e) {
    for (const std::string& part : parts) EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << part << " is not in: " << e.what();
  }
}

TEST_F(Find, SaysWhatThereIsInstead) {
  attach("default");
  says([&] { peft::find<peft::LoraLinear>(model, "attn.query"); }, {"attn.query", "attn.q"});
  says([&] { peft::find<peft::LoraLinear>(model, "attn.q"); }, {"2 slots", "layers.0.attn.q", "layers.1.attn.q"});
  says([&] { peft::find<peft::LoraLinear>(model, "layers.0.attn.k"); }, {"layers.0.attn.k", "Linear"});
  says([&] { peft::find<peft::LoraLinear>(model, "layers.0.attn.q").delta("nobody"); }, {"nobody"});
}

}  // namespace
