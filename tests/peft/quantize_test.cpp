// QLoRA: quantized models and adapters on them against bitsandbytes and PEFT, and the three ways to merge.
#include "peft/quantize.h"

#include <gtest/gtest.h>

#include "nn/layers.h"
#include "peft/adapter_file.h"
#include "tests/here.h"
#include "tests/nn/fixture.h"
#include "tests/peft/methods.h"

namespace graft {
namespace {

std::string adapter_of(bool gpt2) { return here::fixtures() + "/peft/" + (gpt2 ? "lora_gpt2_all" : "lora_llama"); }
Ids ids_of(bool gpt2) {
  const fixture::RawFile file = fixture::read_raw(adapter_of(gpt2) + "/reference.safetensors");
  std::vector<Id> v;
  for (const double x : file.at("ids").numbers()) v.push_back(static_cast<Id>(x));
  return Ids({2, 7}, v);
}
fixture::Numbers logits(Model& m, const Ids& ids) {
  const NoGrad no_grad;
  return table::numbers(m(ids).value());
}

TEST(Quantize, LogitsAreThoseOfBitsandbytes) {
  const fixture::RawFile expected = fixture::read_raw(here::fixtures() + "/nf4.safetensors");
  for (const bool gpt2 : {true, false}) {
    const std::string name = gpt2 ? "gpt2" : "llama";
    fixture::Built base = fixture::build(name);
    const fixture::Numbers plain = logits(*base.model, ids_of(gpt2));
    const Index numbers = peft::quantize(*base.model);
    EXPECT_GT(numbers, 0);
    const fixture::Numbers quantized = logits(*base.model, ids_of(gpt2));
    EXPECT_LE(fixture::apart(quantized, expected.at("logits." + name).numbers()), 1e-4);
    EXPECT_GT(fixture::apart(quantized, plain), 1e-2) << "4 bits are not 32";
    peft::load_adapter(*base.model, adapter_of(gpt2));
    EXPECT_LE(fixture::apart(logits(*base.model, ids_of(gpt2)), expected.at("adapted." + name).numbers()), 1e-4);
  }
}

/// A float model with the dequantized weights says the same.
TEST(Quantize, EqualsTheDequantizedModel) {
  fixture::Built packed = fixture::build("llama"), plain = fixture::build("llama");
  peft::quantize(*packed.model);
  const auto from = packed.model->slots<Projection>(), to = plain.model->slots<Projection>();
  for (std::size_t i = 0; i < from.size(); ++i)
    if (auto* linear = dynamic_cast<Linear*>(&**to[i].second)) linear->weight.set((*from[i].second)->dense().clone());
  EXPECT_LE(fixture::apart(logits(*packed.model, ids_of(false)), logits(*plain.model, ids_of(false))), 1e-5);
}

TEST(Quantize, OnlyTheAdapterLearns) {
  fixture::Built base = fixture::build("gpt2");
  peft::quantize(*base.model);
  Rng rng(1);
  peft::Lora lora;
  lora.r = 2, lora.targets = {"q", "v", "down"};
  peft::attach(*base.model, lora, rng);
  table::move(*base.model, "default");
  language_loss(*base.model, ids_of(true), ids_of(true)).backward();
  for (const auto& p : peft::parameters(*base.model, "default")) EXPECT_TRUE(p.second->own().grad().defined()) << p.first;
  EXPECT_EQ(static_cast<Index>(peft::learning(*base.model).size()), 2 * 3 * 2);
}

/// Merging into the dequantized base only rounds; requantizing rounds to 4 bits anew; kept apart there is nothing to lose.
TEST(Quantize, ThreeWaysToMerge) {
  std::vector<double> errors;
  for (const int way : {0, 1, 2}) {
    fixture::Built base = fixture::build("gpt2");
    peft::quantize(*base.model);
    peft::load_adapter(*base.model, adapter_of(true), "mine");
    const fixture::Numbers apart = logits(*base.model, ids_of(true));
    if (way == 1) peft::merge_and_unload(*base.model, "mine");
    if (way == 2) peft::merge_and_requantize(*base.model, "mine");
    errors.push_back(fixture::apart(logits(*base.model, ids_of(true)), apart));
    const auto* q = dynamic_cast<const PackedLinear*>(&**base.model->slots<Projection>()[0].second);
    if (way == 1) { EXPECT_EQ(q, nullptr) << "numbers again"; }
    if (way == 2) {
      ASSERT_NE(q, nullptr);
      EXPECT_EQ(q->weight->format(), "NF4+DQ");
    }
  }
  std::printf("    logit error: apart %.1e, dequantized %.1e, requantized %.1e\n", errors[0], errors[1], errors[2]);
  EXPECT_EQ(errors[0], 0);
  EXPECT_LE(errors[1], 1e-5);
  EXPECT_GT(errors[2], 1e-3);
}

TEST(Quantize, Refuses) {
  fixture::Built base = fixture::build("gpt2");
  peft::Quantize options;
  options.targets = {"query"};
  EXPECT_THROW(peft::quantize(*base.model, options), ValueError);
  options.targets = {"down"};
  EXPECT_EQ(peft::quantize(*base.model, options), 2 * 8 * 32);
  EXPECT_THROW(peft::quantize(*base.model), ValueError) << "down is packed already";
  EXPECT_NE(dynamic_cast<Linear*>(&**base.model->slots<Projection>()[0].second), nullptr) << "and q was left alone";
  Rng rng(1);
  peft::Lora lora;
  lora.r = 2;
  peft::attach(*base.model, lora, rng);
  options.targets = {"q"};
  EXPECT_THROW(peft::quantize(*base.model, options), ValueError);
  peft::Lora pissa;
  pissa.r = 2, pissa.targets = {"down"}, pissa.init = peft::Lora::Init::pissa;
  EXPECT_THROW(peft::attach(*base.model, pissa, rng, "rest"), ValueError);
}

}  // namespace
}  // namespace graft
