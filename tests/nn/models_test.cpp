// GPT-2, Llama and classifiers, of sequences and of tokens, against transformers: logits, loss, gradients of every parameter, five steps of AdamW, greedy
// tokens, negative log-likelihood. The weights come in by tests/nn/fixture.h; the loader is load_test.cpp's.
#include <gtest/gtest.h>

#include <algorithm>

#include "autograd/sizes.h"
#include "nn/evaluate.h"
#include "nn/generate.h"
#include "tests/nn/fixture.h"

namespace graft {
namespace {

using namespace fixture;

// Logits are of size 5; the fixtures are good to 1e-6 (transformers' Llama has float32 inside).
constexpr double tolerance = 3e-5;

class Models : public testing::TestWithParam<std::string> {
 protected:
  const Built m = build(GetParam());
  const Golden golden{GetParam()};
  Variable forward(const Ids& ids) {
    if (m.token_classifier) return (*m.token_classifier)(ids);
    return m.classifier ? (*m.classifier)(ids) : (*m.model)(ids);
  }
  Variable loss() {
    const Ids ids = ids_of(golden.data["padded"]["ids"]);
    if (m.token_classifier) return token_loss(*m.token_classifier, {ids, ids_of(golden.data["tags"])});
    if (!m.classifier) return language_loss(*m.model, ids, ids_of(golden.data["labels"]));
    const auto classes = golden.data["classes"].get<std::vector<Id>>();
    return cross_entropy((*m.classifier)(ids), Ids({size_of(classes)}, classes));
  }
};

TEST_P(Models, LogitsOfAFullBatch) {
  const NoGrad no_grad;
  const Tensor ours = forward(ids_of(golden.data["ids"])).value();
  EXPECT_EQ(std::vector<Index>(ours.shape().begin(), ours.shape().end()), golden.tensors.at("logits").shape);
  EXPECT_LE(apart(table::numbers(ours), golden.tensors.at("logits").numbers()), tolerance);
}

TEST_P(Models, LogitsOfAPaddedBatch) {
  const NoGrad no_grad;
  const json& padded = golden.data["padded"];
  const Ids ids = ids_of(padded["ids"]);
  const auto lengths = padded["lengths"].get<std::vector<Index>>();
  const Tensor ours = forward(ids).value();
  const Raw& theirs = golden.tensors.at("padded_logits");
  const Tensor expected(ours.shape(), [&] {
    const Numbers v = theirs.numbers();
    return std::vector<real>(v.begin(), v.end());
  }());
  if (m.classifier) {
    EXPECT_LE(apart(table::numbers(ours), theirs.numbers()), tolerance);
    EXPECT_LE(apart(table::numbers((*m.classifier)(Batch{ids, {}, lengths}).value()), theirs.numbers()), tolerance);
    return;
  }
  const Index T = ids.shape()[1];
  for (Index b = 0; b < ids.shape()[0]; ++b) {
    const Index end = b * T + nth(lengths, b);
    EXPECT_LE(apart(rows_of(ours, b * T, end), rows_of(expected, b * T, end)), tolerance) << "row " << b;
  }
}

TEST_P(Models, LossAndGradients) {
  const Variable y = loss();
  EXPECT_NEAR(y.item(), golden.data["loss"].get<double>(), tolerance);
  if (!golden.tensors.count("grad.score.weight") && golden.tensors.size() == 2) return;  // none in this fixture
  y.backward();
  std::size_t seen = 0;
  double all = 0;
  for (const auto& p : m.root->parameters())
    for (const double g : numbers_for(p.first, golden.tensors, m.gpt2, "grad.")) all = std::max(all, std::abs(g));
  for (const auto& p : m.root->parameters()) {
    const Numbers theirs = numbers_for(p.first, golden.tensors, m.gpt2, "grad.");
    seen += theirs.size();
    // The floor is for GPT-2's key bias, whose gradient is 0 but for rounding.
    EXPECT_LE(table::distance(table::numbers(p.second->variable().grad()), theirs, 1e-2 * all), 1e-4) << p.first;
  }
  std::size_t theirs = 0;
  for (const auto& t : golden.tensors)
    if (t.first.rfind("grad.", 0) == 0) theirs += t.second.numbers().size();
  EXPECT_EQ(seen, theirs) << "parameters of one side are not on the other";
}

TEST_P(Models, FiveStepsOfAdamW) {
  constexpr double lr = 1e-2, b1 = 0.9, b2 = 0.999, eps = 1e-8, decay = 0.01;
  std::map<Param*, std::pair<Numbers, Numbers>> moments;
  std::vector<double> losses;
  for (int step = 1; step <= 5; ++step) {
    const Variable y = loss();
    losses.push_back(y.item());
    y.backward();
    for (const auto& named : m.root->parameters()) {
      Param& p = *named.second;
      auto& state = moments[&p];
      state.first.resize(static_cast<std::size_t>(p.numel())), state.second.resize(state.first.size());
      Variable v = p.variable();
      Tensor numbers = v.value();
      real* w = numbers.write();
      for (std::size_t i = 0; i < state.first.size(); ++i) {
        const double g = v.grad().defined() ? v.grad()[static_cast<Index>(i)] : 0;
        double &first = state.first[i], &second = state.second[i];
        first = b1 * first + (1 - b1) * g, second = b2 * second + (1 - b2) * g * g;
        const double up = first / (1 - std::pow(b1, step)), down = std::sqrt(second / (1 - std::pow(b2, step))) + eps;
        w[i] = static_cast<real>(w[i] * (1 - lr * decay) - lr * up / down);
      }
      v.clear_grad();
    }
  }
  losses.push_back(loss().item());
  EXPECT_LE(apart(losses, golden.data["adamw"].get<Numbers>()), 1e-4);
}

class LanguageModels : public Models {};

TEST_P(LanguageModels, GreedyTokens) {
  std::vector<std::vector<Id>> prompts, expected;
  for (const json& g : golden.data["greedy"]) {
    prompts.push_back(g["prompt"].get<std::vector<Id>>());
    expected.push_back(g["tokens"].get<std::vector<Id>>());
  }
  GenerateOptions options;
  options.max_tokens = size_of(expected[0]);
  Rng rng(1);
  EXPECT_EQ(generate(*m.model, prompts, options, rng), expected) << "together";
  for (std::size_t i = 0; i < prompts.size(); ++i)
    EXPECT_EQ(generate(*m.model, {prompts[i]}, options, rng), std::vector<std::vector<Id>>{expected[i]}) << "alone";
}

TEST_P(LanguageModels, NegativeLogLikelihood) {
  const json& nll = golden.data["nll"];
  const auto text = nll["ids"].get<std::vector<Id>>();
  const std::pair<const char*, Index> windows[] = {{"all", 0}, {"windows", nll["window"].get<Index>()}};
  for (const auto& w : windows) {
    const Evaluation e = evaluate(*m.model, text, w.second);
    EXPECT_EQ(e.tokens, nll[w.first]["tokens"].get<Index>()) << w.first;
    EXPECT_NEAR(e.sum, nll[w.first]["sum"].get<double>(), 1e-4) << w.first;
    EXPECT_NEAR(e.perplexity(), std::exp(e.sum / static_cast<double>(e.tokens)), 1e-9) << w.first;
  }
}

/// Classifiers write nothing and predict no text.
std::vector<std::string> language_models() {
  std::vector<std::string> those = names();
  const auto is_classifier = [](const std::string& name) { return name.find("classifier") != std::string::npos; };
  those.erase(std::remove_if(those.begin(), those.end(), is_classifier), those.end());
  return those;
}

INSTANTIATE_TEST_SUITE_P(All, Models, testing::ValuesIn(names()), [](const auto& info) { return info.param; });
INSTANTIATE_TEST_SUITE_P(All, LanguageModels, testing::ValuesIn(language_models()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace graft
