// A method without options is the same method in C++ and in the program: the same parameters with the same first numbers, the
// same scales (seen once it has moved), the same dropout. What C++ makes of each word of `graft tune --method` is in methods.h.
#include <gtest/gtest.h>

#include <map>

#include "autograd/ops.h"
#include "peft/ensemble.h"
#include "peft/lora_plus.h"
#include "tests/peft/methods.h"
#include "tests/tokenizer/fixture.h"
#include "tune/methods.h"

namespace graft {
namespace {

using table::AttachAll;

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
Seen seen(const AttachAll& attach) {
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

AttachAll by_word(const tune::MethodChoice& choice) {
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
  const std::map<std::string, AttachAll> cpp = table::by_default();
  for (const peft::MethodRow& row : peft::methods()) {
    const auto written = cpp.find(row.word);
    ASSERT_NE(written, cpp.end()) << row.word << " has no row in by_default() of tests/peft/methods.h";
    expect_same(seen(by_word({row.word, {}})), seen(written->second), row.word);
  }
  EXPECT_EQ(cpp.size(), peft::methods().size());
}

/// A rank alone says the same in both: alpha follows it.
TEST(Defaults, ARankAloneIsTheSameTraining) {
  for (const bool rank_stabilized : {false, true}) {
    const tune::MethodChoice choice{rank_stabilized ? "rslora" : "lora", {{"r", 4}}};
    peft::Lora l;
    l.r = 4, l.rank_stabilized = rank_stabilized;
    expect_same(seen(by_word(choice)), seen(table::alone(l)), choice.name);
    EXPECT_EQ(l.scale_of("layers.0.attn.q"), rank_stabilized ? real(2) : real(1));
  }
}

TEST(Defaults, OfTheRatesOfLoraPlus) {
  const std::unique_ptr<Classifier> all = small();
  Rng rng(7);
  const tune::Chosen chosen = tune::attach(*all, {"lora-plus", {}}, ::fixture::tokenizer("gpt2"), {}, rng);
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
