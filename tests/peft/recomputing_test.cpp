// Model::recomputing: the same loss and the same gradients, with dropout, a selection that has changed since, and a memory.
#include <gtest/gtest.h>

#include "autograd/ledger.h"
#include "peft/ensemble.h"
#include "peft/lora.h"
#include "peft/prefix.h"
#include "peft/prompt.h"
#include "tests/peft/methods.h"

namespace graft {
namespace {

struct Result {
  std::vector<real> loss;
  std::map<std::string, std::vector<real>> gradients;
  std::size_t saved = 0;
};

Result backward(Model& model, bool recomputing, const std::function<Variable()>& loss) {
  model.recomputing = recomputing;
  for (const auto& named : peft::learning(model)) Variable(named.second->own()).clear_grad();
  Rng draws(5);
  model.training(&draws);
  Result result;
  const Variable y = loss();
  result.saved = ledger()[Category::saved];
  y.backward();
  result.loss = y.value().values();
  for (const auto& named : peft::learning(model)) {
    const Tensor& g = named.second->own().grad();
    if (g.defined()) result.gradients[named.first] = g.values();
  }
  return result;
}

void expect_same(const Result& a, const Result& b) {
  EXPECT_EQ(a.loss, b.loss);
  ASSERT_EQ(a.gradients.size(), b.gradients.size());
  for (const auto& [path, g] : a.gradients) {
    const auto& h = b.gradients.at(path);
    for (std::size_t i = 0; i < g.size(); ++i)
      ASSERT_NEAR(g[i], h[i], 1e-6 * (1 + std::abs(g[i]))) << path;  // sums over blocks come in another order
  }
}

Ids some_ids(const Model& model, Index B, Index T) {
  Rng rng(3);
  std::vector<Id> ids;
  for (Index i = 0; i < B * T; ++i) ids.push_back(static_cast<Id>(rng.below(model.vocabulary())));
  return Ids({B, T}, std::move(ids));
}

TEST(Recomputing, GivesTheSameLossAndGradients) {
  for (const bool llama : {false, true}) {
    const std::unique_ptr<Model> model = llama ? std::unique_ptr<Model>(table::tiny_llama()) : std::unique_ptr<Model>(table::tiny_gpt2());
    table::randomize(*model);
    const Ids ids = some_ids(*model, 2, 6);
    const auto loss = [&] { return language_loss(*model, ids, ids); };
    const Result kept = backward(*model, false, loss), again = backward(*model, true, loss);
    expect_same(kept, again);
    EXPECT_FALSE(kept.gradients.empty());
    EXPECT_LT(again.saved, kept.saved);
  }
}

TEST(Recomputing, WithDropoutAndASelectionThatIsOverByThen) {
  const std::unique_ptr<Model> model = table::tiny_gpt2();
  table::randomize(*model);
  Rng rng(1);
  peft::Lora lora;  // drops out inside the blocks, so the second run must draw what the first drew
  lora.dropout = real(0.3);
  const peft::Attached inside = peft::attach(*model, lora, rng);
  for (const auto& named : peft::learning(*model)) named.second->set(normal(named.second->shape(), 0, real(0.1), rng));
  const Ids some = some_ids(*model, 2, 6);
  const auto dropped = [&] { return language_loss(*model, some, some); };
  expect_same(backward(*model, false, dropped), backward(*model, true, dropped));
  peft::detach(*model, inside);

  peft::PrefixTuning prefix;
  prefix.length = 3, prefix.dropout = real(0.3);
  const peft::Attached attached = peft::attach(*model, prefix, rng);
  const Ids ids = some_ids(*model, 2, 5);
  const auto loss = [&] { return language_loss(*model, ids, ids); };
  expect_same(backward(*model, false, loss), backward(*model, true, loss));
  peft::detach(*model, attached);

  peft::PromptTuning prompt;
  prompt.length = 2;
  const auto names = peft::names_of(peft::attach_ensemble(*model, prompt, 2, rng, "p"));
  const auto both = [&] { return peft::ensemble_loss(*model, names, {ids, ids}); };
  expect_same(backward(*model, false, both), backward(*model, true, both));
}

/// Without recomputing a loss owns all that backward needs; with it, the model must still be there, and says so.
TEST(Recomputing, ALossThatOutlivesItsModel) {
  for (const bool recomputing : {false, true}) {
    std::unique_ptr<Model> model = table::tiny_gpt2();
    table::randomize(*model);
    model->recomputing = recomputing;
    const Ids ids = some_ids(*model, 2, 6);
    const Variable loss = language_loss(*model, ids, ids);
    model.reset();
    if (!recomputing) {
      EXPECT_NO_THROW(loss.backward());
      continue;
    }
    try {
      loss.backward();
      FAIL() << "blocks of a model that is gone were run";
    } catch (const GraphError& e) {
      EXPECT_NE(std::string(e.what()).find("keep the model until backward()"), std::string::npos) << e.what();
    }
  }
}

}  // namespace
}  // namespace graft
