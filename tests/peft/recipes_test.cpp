// The table of losses in docs/methods/README.md ("Does it learn?") is what training gives: every row is trained again on the
// small model, and the worst of three seeds must be what the page says, within what another processor's rounding does to it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <regex>

#include "autograd/sizes.h"
#include "tests/here.h"
#include "tests/peft/small.h"
#include "tests/rules.h"

namespace {

using namespace graft;
using Attach = std::function<void(Gpt2&, Rng&)>;

#if defined(__SANITIZE_ADDRESS__)
constexpr std::uint64_t seeds = 1;  // ten times as slow there, and the numbers are no question of memory
#else
constexpr std::uint64_t seeds = 3;
#endif

template <class M, class Set>
Attach method(M m, const Set& set) {
  set(m);
  return [m](Gpt2& model, Rng& rng) { peft::attach(model, m, rng, "row"); };
}
Attach lora(const std::function<void(peft::Lora&)>& set) {
  return method(peft::Lora{}, [&](peft::Lora& l) { l.r = 4, l.alpha = 4, set(l); });
}
Attach prefix(Index hidden) {
  return method(peft::PrefixTuning{}, [&](peft::PrefixTuning& p) { p.length = 4, p.hidden = hidden; });
}
Attach p_tuning(peft::PTuning::Encoder encoder) {
  return method(peft::PTuning{}, [&](peft::PTuning& p) { p.prompt_template = peft::front_template(4), p.encoder = encoder; });
}
Attach prompt(peft::PromptTuning::Init init) {
  return method(peft::PromptTuning{}, [&](peft::PromptTuning& p) { p.length = 4, p.init = init; });
}

/// The first two cells of a row of the page, and what they mean.
const std::map<std::string, Attach>& methods() {
  const auto plain = [](auto&) {};
  using Init = peft::PromptTuning::Init;
  using Encoder = peft::PTuning::Encoder;
  static const std::map<std::string, Attach> all{
      {"full fine-tuning | ", method(peft::FullFineTuning{}, plain)},
      {"LoRA, r = 4 on q, v | B = 0", lora(plain)},
      {"DoRA | B = 0", lora([](peft::Lora& l) { l.dora = true; })},
      {"PiSSA | singular directions", lora([](peft::Lora& l) { l.init = peft::Lora::Init::pissa; })},
      {"QLoRA | B = 0",
       [](Gpt2& model, Rng& rng) {
         peft::quantize(model);
         lora([](peft::Lora&) {})(model, rng);
       }},
      {"Adapter, m = 8 | near 0", method(peft::BottleneckAdapter{}, [](peft::BottleneckAdapter& b) { b.size = 8; })},
      {"IA3 | ones", method(peft::Ia3{}, plain)},
      {"LayerNorm tuning | ", method(peft::LayerNormTuning{}, plain)},
      {"BitFit | ", method(peft::BitFit{}, plain)},
      {"prefix, P = 4, flat | N(0, 1)", prefix(0)},
      {"prefix, P = 4, MLP of 16 | N(0, 1)", prefix(16)},
      {"P-tuning, P = 4, LSTM | N(0, 1)", p_tuning(Encoder::lstm)},
      {"P-tuning, P = 4, MLP | N(0, 1)", p_tuning(Encoder::mlp)},
      {"prompt, P = 4 | vocabulary", prompt(Init::vocabulary)},
      {"prompt, P = 4 | N(0, 1)", prompt(Init::random)},
  };
  return all;
}

/// A base of its own for each training: full fine-tuning and quantization leave it changed.
double learned(const Attach& attach, int task, double rate, std::uint64_t seed) {
  static const Small taught;
  Small small{Small::untaught};
  for (const auto& p : small.model->parameters()) p.second->set(taught.model->parameter(p.first).value().clone());
  Rng rng(seed);
  attach(*small.model, rng);
  return small.train(task, rate, 300);
}

struct Row {
  std::string method;
  double rate, known, unknown;
};
std::vector<Row> rows_of_the_page() {
  static const std::regex row(R"(\| (.*?) \| (.*?)\| (\d+e-\d) \| \**([\d.]+)\** \| \**([\d.]+)\** \|)");
  std::vector<Row> rows;
  std::smatch m;
  for (const std::string& line : rules::lines(rules::read(here::root() + "/docs/methods/README.md"))) {
    if (!std::regex_match(line, m, row)) continue;
    std::string start = m[2];
    if (!start.empty()) start.pop_back();  // the space before the bar
    rows.push_back({m[1].str() + " | " + start, std::stod(m[3]), std::stod(m[4]), std::stod(m[5])});
  }
  return rows;
}

/// Two decimals, and what rounding makes of 300 steps on another processor.
void expect_near(double measured, double said, const std::string& what) {
  EXPECT_TRUE(std::abs(measured - said) <= std::max(0.015, 0.1 * said))
      << what << ": the page says " << said << ", now " << measured;
}

TEST(Recipes, TheTableOfLossesIsWhatTrainingGives) {
  const std::vector<Row> rows = rows_of_the_page();
  EXPECT_EQ(rows.size(), methods().size() + 2);  // the flat prefix and the vocabulary's prompt with two rates each
  for (const Row& row : rows) {
    ASSERT_TRUE(methods().count(row.method)) << row.method << " is on the page, but not in this test";
    for (const int task : {int(Small::known), int(Small::unknown)}) {
      std::vector<double> losses;
      for (std::uint64_t seed = 1; seed <= seeds; ++seed)
        losses.push_back(learned(methods().at(row.method), task, row.rate, seed));
      std::sort(losses.begin(), losses.end());
      const std::string what = row.method + (task == Small::known ? ", known" : ", unknown");
      std::printf("    %-48s %.0e  %.3f to %.3f\n", what.c_str(), row.rate, losses.front(), losses.back());
      const double said = task == Small::known ? row.known : row.unknown;
      if (seeds == 3) expect_near(losses.back(), said, what);
      else EXPECT_LT(losses.back(), said + std::max(0.015, 0.1 * said)) << what;
    }
  }
}

/// Each row has one key, so q and k cannot matter: LoRA on them leaves the loss where it was.
TEST(Recipes, ThisTaskCannotTellWhereLoraBelongs) {
  const Small small;
  const double before = small.loss(Small::unknown);
  EXPECT_GT(before, 7);
  for (const std::vector<std::string>& targets : {std::vector<std::string>{"q"}, {"k"}, {"q", "k"}}) {
    Rng rng(1);
    lora([&](peft::Lora& l) { l.targets = targets; })(*small.model, rng);
    EXPECT_NEAR(small.train(Small::unknown, 5e-3, 300), before, 0.01);
    peft::detach(*small.model, "row");
  }
}

/// The share of the sixteen questions that each prompt answers rightly, and that their vote does.
struct Rightly {
  double mean = 0, best = 0, vote = 0;
};
Rightly ensemble(const Small& small, std::uint64_t seed, int steps) {
  Rng rng(seed);
  peft::PromptTuning method;
  method.length = 4;
  const std::vector<peft::Attached> attached = peft::attach_ensemble(*small.model, method, 5, rng, "row");
  const std::vector<std::string> names = peft::names_of(attached);
  train::AdamW optimizer(peft::learning(*small.model));
  for (int step = 0; step < steps; ++step) {
    peft::ensemble_loss(*small.model, names, {Small::ids(Small::known), Small::labels(Small::known)}).backward();
    optimizer.step(real(1e-2));
    optimizer.clear_gradients();
  }
  const NoGrad no_grad;
  const Ids right = Small::answers(Small::known);
  const auto share = [&](const Ids& said) {
    double count = 0;
    for (Index i = 0; i < Small::digits; ++i) count += said[i] == right[i];
    return count / Small::digits;
  };
  Rightly result;
  std::vector<real> all;  // the logits of the digits, prompt by prompt
  for (const std::string& name : names) {
    small.model->select(name);
    const Variable y = (*small.model)(small.model->prompt_template(Batch{Small::questions()}));  // (16, T, V)
    const Index T = y.shape()[1], V = y.shape()[2];
    std::vector<real> own;
    for (Index i = 0; i < Small::digits; ++i) {
      const real* last = y.value().data() + (i * T + T - 1) * V;
      own.insert(own.end(), last, last + Small::digits);
    }
    const double alone = share(peft::vote(Tensor({Small::digits, Small::digits}, own), 1).majority);
    result.mean += alone / static_cast<double>(names.size());
    result.best = std::max(result.best, alone);
    all.insert(all.end(), own.begin(), own.end());
  }
  const Index prompts = size_of(names);
  result.vote = share(peft::vote(Tensor({prompts * Small::digits, Small::digits}, all), prompts).majority);
  for (const peft::Attached& one : attached) peft::detach(*small.model, one);
  return result;
}

/// docs/methods/prompt-tuning.md: at equal length and steps a vote beats the mean of its own prompts, but seldom the best of them.
TEST(Recipes, AVoteBeatsTheMeanOfItsPromptsNotTheBest) {
  const Small small;
  Rightly sum;
  int above_mean = 0, above_best = 0;
  constexpr int runs = 10;
  for (std::uint64_t seed = 1; seed <= runs; ++seed) {
    const Rightly one = ensemble(small, seed, 10);
    sum.mean += one.mean / runs, sum.best += one.best / runs, sum.vote += one.vote / runs;
    above_mean += one.vote > one.mean, above_best += one.vote > one.best;
  }
  std::printf("    mean %.2f, best %.2f, vote %.2f; above the mean %d times, above the best %d\n", sum.mean, sum.best, sum.vote,
              above_mean, above_best);
  EXPECT_NEAR(sum.mean, 0.68, 0.05);
  EXPECT_NEAR(sum.best, 0.94, 0.05);
  EXPECT_NEAR(sum.vote, 0.78, 0.05);
  EXPECT_GE(above_mean, 8);
  EXPECT_LE(above_best, 2);
}

}  // namespace
