// A method without options is the same method in C++ and in the program: the same parameters with the same first numbers, the
// same scales (seen once it has moved), the same dropout. Every word of `graft tune --method` has a row here.
#include <gtest/gtest.h>

#include <map>

#include "autograd/ops.h"
#include "peft/bottleneck.h"
#include "peft/ensemble.h"
#include "peft/lora_plus.h"
#include "peft/p_tuning_v2.h"
#include "peft/quantize.h"
#include "tests/peft/methods.h"
#include "tests/tokenizer/fixture.h"
#include "tune/methods.h"

namespace graft {
namespace {

using Attach = std::function<std::vector<peft::Attached>(const peft::BaseModel&, Rng&)>;

template <class M>
Attach plain(const M& method) {
  return [method](const peft::BaseModel& base, Rng& rng) {
    return std::vector<peft::Attached>{peft::attach(base, method, rng)};
  };
}
peft::Lora lora(const std::function<void(peft::Lora&)>& change = [](peft::Lora&) {}) {
  peft::Lora l;
  change(l);
  return l;
}

/// What a user of the library writes for the word.
std::map<std::string, Attach> in_cpp() {
  return {{"full", plain(peft::FullFineTuning{})},
          {"probe", plain(peft::LinearProbe{})},
          {"bitfit", plain(peft::BitFit{})},
          {"layernorm", plain(peft::LayerNormTuning{})},
          {"ia3", plain(peft::Ia3{})},
          {"lora", plain(lora())},
          {"rslora", plain(lora([](auto& l) { l.rank_stabilized = true; }))},
          {"lora-plus", plain(lora())},
          {"dora", plain(lora([](auto& l) { l.dora = true; }))},
          {"pissa", plain(lora([](auto& l) { l.init = peft::Lora::Init::pissa; }))},
          {"qlora",
           [](const peft::BaseModel& base, Rng& rng) {
             peft::quantize(base);
             return std::vector<peft::Attached>{peft::attach(base, lora(), rng)};
           }},
          {"adapter", plain(peft::BottleneckAdapter{})},
          {"prefix", plain(peft::PrefixTuning{})},
          {"prompt", plain(peft::PromptTuning{})},
          {"ensemble",
           [](const peft::BaseModel& base, Rng& rng) {
             return peft::attach_ensemble(base, peft::PromptTuning{}, 5, rng, "prompt");
           }},
          {"p-tuning", plain(peft::PTuning{})},
          {"p-tuning-v2", plain(peft::PTuningV2{})}};
}

/// A classifier that is wide and long enough for every default.
std::unique_ptr<Classifier> small() {
  Gpt2Config c;
  c.vocabulary = 64, c.context = 48, c.dim = 32, c.layers = 1, c.heads = 2;
  auto model = std::make_unique<Gpt2>(c);
  model->output().take();
  auto all = std::make_unique<Classifier>(std::move(model), std::vector<std::string>{"a", "b", "c"}, -1);
  table::randomize(*all);
  return all;
}

/// All that a training starts from, and what it says once everything that learns has moved, dropout included.
struct Seen {
  std::vector<std::string> names;
  std::map<std::string, std::vector<real>> learning;
  std::vector<real> said;
};
Seen seen(const Attach& attach) {
  const std::unique_ptr<Classifier> all = small();
  Rng rng(7), draws(8);
  Seen s;
  s.names = peft::names_of(attach(*all, rng));
  for (const auto& named : peft::learning(*all)) s.learning[named.first] = named.second->own().value().values();
  for (const std::string& name : s.names) table::move(*all, name);
  peft::select(*all, s.names[0]);
  all->training(&draws);
  const NoGrad no_grad;
  s.said = (*all)(Ids({2, 3}, {1, 2, 3, 4, 5, 6})).value().values();
  return s;
}

Attach by_word(const tune::MethodChoice& choice) {
  return [choice](const peft::BaseModel& base, Rng& rng) {
    return tune::attach(base, choice, ::fixture::tokenizer("gpt2"), {"a", "b", "c"}, rng).attached;
  };
}
void expect_same(const Seen& program, const Seen& cpp, const std::string& what) {
  EXPECT_EQ(program.names, cpp.names) << what;
  EXPECT_EQ(program.learning, cpp.learning) << what;
  EXPECT_EQ(program.said, cpp.said) << what;
}

TEST(Defaults, AreThoseOfTheProgram) {
  const std::map<std::string, Attach> cpp = in_cpp();
  for (const tune::MethodKind& kind : tune::method_kinds()) {
    const auto row = cpp.find(kind.name);
    ASSERT_NE(row, cpp.end()) << kind.name << " has no row in defaults_test.cpp";
    tune::MethodChoice choice;
    choice.name = kind.name;
    expect_same(seen(by_word(choice)), seen(row->second), kind.name);
  }
}

/// A rank alone says the same in both: alpha follows it.
TEST(Defaults, ARankAloneIsTheSameTraining) {
  for (const bool rank_stabilized : {false, true}) {
    tune::MethodChoice choice;
    choice.name = rank_stabilized ? "rslora" : "lora", choice.r = 4;
    const peft::Lora l = lora([&](peft::Lora& m) { m.r = 4, m.rank_stabilized = rank_stabilized; });
    expect_same(seen(by_word(choice)), seen(plain(l)), choice.name);
    EXPECT_EQ(l.scale_of("layers.0.attn.q"), rank_stabilized ? real(2) : real(1));
  }
}

TEST(Defaults, OfTheRatesOfLoraPlus) {
  const std::unique_ptr<Classifier> all = small();
  Rng rng(7);
  tune::MethodChoice choice;
  choice.name = "lora-plus";
  const tune::Chosen chosen = tune::attach(*all, choice, ::fixture::tokenizer("gpt2"), {}, rng);
  std::map<const Param*, real> program, cpp;
  for (const train::Group& group : tune::groups(*all, chosen))
    for (const auto& named : group.parameters) program[named.second] = group.factor;
  for (const peft::RateGroup& group : peft::lora_plus(*all, chosen.names()[0]))
    for (const Param* parameter : group.parameters) cpp[parameter] = group.factor;
  EXPECT_GE(cpp.size(), 4u);
  for (const auto& [parameter, factor] : program) EXPECT_EQ(factor, cpp.count(parameter) ? cpp.at(parameter) : 1);
}

}  // namespace
}  // namespace graft
