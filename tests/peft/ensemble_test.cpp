// Prompts of one task trained in one batch as K models, their votes, tasks that share a batch; going on from a saved state.
#include "autograd/sizes.h"
#include "peft/ensemble.h"

#include <gtest/gtest.h>

#include "autograd/ops.h"
#include "tests/autograd/compare.h"
#include "tests/formats/scratch_folder.h"
#include "tests/peft/methods.h"
#include "train/checkpoint.h"
#include "train/optimizer.h"

namespace graft {
namespace {

const Ids ids({2, 5}, {1, 4, 2, 7, 3, 5, 5, 0, 6, 1});
const Ids labels({2, 5}, {ignored, ignored, 2, 7, 3, ignored, ignored, ignored, 6, 1});
constexpr int K = 3;
constexpr double largest = 0.05;  // clips

std::vector<peft::Attached> three(Model& m) {
  Rng rng(5);
  peft::PromptTuning prompt;
  prompt.length = 4;
  return peft::attach_ensemble(m, prompt, K, rng, "task");
}

TEST(Ensemble, OneBatchTrainsKModels) {
  std::unique_ptr<Model> together = table::tiny_gpt2();
  table::randomize(*together);
  const std::vector<std::string> names = peft::names_of(three(*together));
  EXPECT_EQ(together->count(true), K * 4 * 8) << "all prompts learn";
  train::AdamW adam(peft::learning(*together));
  std::vector<double> sums;
  for (int step = 0; step < 10; ++step) {
    const Variable y = peft::ensemble_loss(*together, names, {ids, labels});
    sums.push_back(y.item());
    adam.clear_gradients();
    y.backward();
    for (const std::string& name : names) train::clip_gradients(peft::parameters(*together, name), largest);
    adam.step(real(0.05));
  }
  EXPECT_TRUE(together->selection().rows().empty());

  std::vector<double> expected(10, 0);
  for (const std::string& name : names) {
    std::unique_ptr<Model> alone = table::tiny_gpt2();
    table::randomize(*alone);
    three(*alone);
    peft::learn(*alone, {name});
    alone->select(name);
    train::AdamW own(peft::learning(*alone));
    for (int step = 0; step < 10; ++step) {
      const Variable y = language_loss(*alone, ids, labels);
      nth(expected, step) += y.item();
      own.clear_gradients();
      y.backward();
      train::clip_gradients(peft::parameters(*alone, name), largest);
      own.step(real(0.05));
    }
    const auto p = peft::parameters(*alone, name), q = peft::parameters(*together, name);
    ASSERT_EQ(p.size(), 1u);
    for (Index i = 0; i < p[0].second->numel(); ++i)
      EXPECT_NEAR(q[0].second->value()[i], p[0].second->value()[i], sizeof(real) == 8 ? 1e-12 : 2e-5) << name;
  }
  for (std::size_t i = 0; i < 10; ++i) EXPECT_NEAR(sums[i], expected[i], 1e-4) << "step " << i;
}

/// Classifiers, each prompt with a head of its own: K·mean over all K·B rows is the sum of K means.
TEST(Ensemble, ClassifiersInOneBatch) {
  const auto make = [] {
    std::unique_ptr<Model> m = table::tiny_llama();
    m->output().take();
    auto c = std::make_unique<Classifier>(std::move(m), std::vector<std::string>{"a", "b", "c"}, -1);
    table::randomize(*c);
    return c;
  };
  const auto prompts = [](Classifier& c) {
    Rng rng(5);
    peft::PromptTuning prompt;
    prompt.length = 4;
    return peft::names_of(peft::attach_ensemble(c, prompt, K, rng, "task"));
  };
  const auto answers = [](Classifier& c, const Ids& user) { return c(user); };
  const auto together = make();
  const auto names = prompts(*together);
  const Ids classes({2}, {2, 0});
  train::AdamW adam(peft::learning(*together));
  for (int step = 0; step < 10; ++step) {
    together->model->select(Selection(peft::rows_for(names, 2)));
    const Variable y = real(K) * cross_entropy(answers(*together, peft::repeated(ids, K)), peft::repeated(classes, K));
    adam.clear_gradients();
    y.backward();
    adam.step(real(0.05));
  }
  const Tensor all = answers(*together, peft::repeated(ids, K)).value();
  std::vector<real> alone;
  for (const std::string& name : names) {
    const auto one = make();
    prompts(*one);
    peft::learn(*one, {name});
    one->model->select(name);
    train::AdamW own(peft::learning(*one));
    for (int step = 0; step < 10; ++step) {
      const Variable y = cross_entropy(answers(*one, ids), classes);
      own.clear_gradients();
      y.backward();
      own.step(real(0.05));
    }
    const auto mine = answers(*one, ids).value().values();
    alone.insert(alone.end(), mine.begin(), mine.end());
  }
  for (Index i = 0; i < all.numel(); ++i) EXPECT_NEAR(all[i], nth(alone, i), 1e-3) << i;
  const peft::Votes v = peft::vote(all, K), w = peft::vote(Tensor(Shape{K * 2, 3}, alone), K);
  for (Index b = 0; b < 2; ++b) EXPECT_EQ(v.majority[b], w.majority[b]);
}

/// A part that sees every walk over the model.
struct Walked : Part {
  using Part::Part;
  mutable int walks = 0;
  std::vector<std::pair<std::string, Module*>> children() const override { return ++walks, std::vector<std::pair<std::string, Module*>>{}; }
};
TEST(Ensemble, IsAttachedInLinearTime) {
  std::vector<int> walks;
  for (const Index K : {2, 20, 200}) {
    const std::unique_ptr<Model> model = table::tiny_gpt2();
    table::randomize(*model);
    const Walked part(*model, "walked");
    peft::PromptTuning prompt;
    prompt.length = 2;
    Rng rng(1);
    EXPECT_EQ(peft::attach_ensemble(*model, prompt, K, rng, "p").size(), static_cast<std::size_t>(K));
    EXPECT_EQ(peft::learning(*model).size(), static_cast<std::size_t>(K));
    walks.push_back(part.walks);
  }
  EXPECT_EQ(walks[0], walks[1]);
  EXPECT_EQ(walks[0], walks[2]) << "each walk is longer, but there are not more of them";
}

TEST(Ensemble, TasksMayShareABatch) {
  std::unique_ptr<Model> m = table::tiny_llama();
  table::randomize(*m);
  Rng rng(5);
  peft::PromptTuning small, large;
  small.length = 2, large.length = 5;
  peft::attach(*m, small, rng, "short"), peft::attach(*m, large, rng, "long");
  const NoGrad no_grad;
  const auto last = [&](const Batch& user) {
    const Templated batch = m->prompt_template(user);
    const Tensor y = (*m)(batch).value();
    std::vector<std::vector<real>> rows;
    for (Index b = 0; b < batch.rows(); ++b) {
      const real* from = y.data() + (b * y.dim(1) + nth(batch.last(), b)) * y.dim(2);
      rows.emplace_back(from, from + y.dim(2));
    }
    return rows;
  };
  std::vector<std::vector<real>> alone;
  for (const char* name : {"long", "short", ""}) {
    m->select(name);
    alone.push_back(last({Ids({1, 3}, {4, 5, 6}), {}, {}})[0]);
  }
  m->select(Selection(std::vector<std::string>{"long", "short", ""}));
  const auto mixed = last({Ids({3, 3}, {4, 5, 6, 4, 5, 6, 4, 5, 6}), {}, {}});
  for (std::size_t b = 0; b < 3; ++b)
    for (std::size_t v = 0; v < alone[b].size(); ++v) EXPECT_NEAR(mixed[b][v], alone[b][v], 1e-5) << b;
}

TEST(Ensemble, Votes) {
  // Rows 0, 1 under three prompts. Row 0: labels 1, 1, 2 -> 1. Row 1: 0, 2, 1, a tie that the mean decides for 2.
  const Tensor logits(Shape{6, 3}, {0, 3, 0, 2, 0, 1, 0, 1, 0, 0, 0, 9, 0, 0, 6, 0, 2, 1});
  const peft::Votes v = peft::vote(logits, 3);
  EXPECT_EQ(v.majority[0], 1);
  EXPECT_EQ(v.majority[1], 2);
  double e[3] = {0, 0, 0};
  const double rows[3][3] = {{0, 3, 0}, {0, 1, 0}, {0, 0, 6}};
  for (const auto& r : rows) {
    const double all = std::exp(r[0]) + std::exp(r[1]) + std::exp(r[2]);
    for (int l = 0; l < 3; ++l) e[l] += std::exp(r[l]) / all / 3;
  }
  for (int l = 0; l < 3; ++l) EXPECT_NEAR(v.probabilities[l], e[l], 1e-6);
  EXPECT_EQ(v.most_probable[0], std::max_element(e, e + 3) - e);
  EXPECT_EQ(v.votes[1], 2);
  EXPECT_THROW(peft::vote(logits, 4), ShapeError);
}

TEST(Ensemble, Refuses) {
  std::unique_ptr<Model> m = table::tiny_gpt2();
  table::randomize(*m);
  const std::string tree = m->tree();
  Rng rng(1);
  peft::PromptTuning prompt;
  prompt.length = 4;
  EXPECT_THROW(peft::attach_ensemble(*m, prompt, 0, rng, "task"), ValueError);
  EXPECT_THROW(peft::attach_ensemble(*m, prompt, 2, rng, "a b"), ValueError);
  EXPECT_EQ(m->tree(), tree);
  peft::attach(*m, prompt, rng, "task-1");
  const std::string one = m->tree();
  EXPECT_THROW(peft::attach_ensemble(*m, prompt, 3, rng, "task"), ValueError) << "task-1 is taken";
  EXPECT_EQ(m->tree(), one);
  EXPECT_THROW(peft::ensemble_loss(*m, {}, {ids, labels}), ValueError);
  EXPECT_THROW(peft::ensemble_loss(*m, {"task-1", "task-2"}, {ids, labels}), ValueError) << "a slip would train the bare base";
  EXPECT_THROW(peft::ensemble_loss(*m, {"task-1"}, {ids, Ids({2, 5}, std::vector<Id>(10, ignored))}), ValueError);
  EXPECT_TRUE(m->selection().rows().empty());
}

// --- going on --------------------------------------------------------------------------------------------------------------

TEST(TrainingState, GoesOnBitForBit) {
  const formats::ScratchFolder scratch;
  peft::PTuning p;
  p.prompt_template = peft::front_template(3);
  peft::PrefixTuning prefix;
  prefix.length = 3, prefix.hidden = 4, prefix.dropout = real(0.1);
  for (const bool lstm : {true, false}) {
    const auto attach = [&](Model& m, std::uint64_t seed) {
      Rng rng(seed);
      if (lstm) peft::attach(m, p, rng);
      else peft::attach(m, prefix, rng);
    };
    const auto train = [&](Model& m, train::AdamW& adam, int steps) {
      for (int i = 0; i < steps; ++i) {
        const Variable y = language_loss(m, ids, labels);
        adam.clear_gradients();
        y.backward();
        adam.step(real(0.02));
      }
    };
    std::unique_ptr<Model> one = table::tiny_gpt2(), two = table::tiny_gpt2();
    table::randomize(*one), table::randomize(*two);
    attach(*one, 1), attach(*two, 2);
    Rng draws(9);
    one->training(&draws);
    train::AdamW adam(peft::learning(*one));
    train(*one, adam, 4);
    train::save_checkpoint(peft::learning(*one), adam.state(), draws, scratch.path("state.safetensors"));
    train(*one, adam, 4);

    const train::Checkpoint state = train::load_checkpoint(peft::learning(*two), scratch.path("state.safetensors"));
    Rng again = state.rng;
    two->training(&again);
    train::AdamW next(peft::learning(*two));
    next.load(state.optimizer);
    train(*two, next, 4);
    if (sizeof(real) == sizeof(float)) {  // files hold F32
      for (const auto& named : peft::parameters(*one, "default"))
        EXPECT_EQ(two->parameter(named.first).value().values(), named.second->value().values()) << named.first;
    }
  }
  std::unique_ptr<Model> other = table::tiny_gpt2();
  table::randomize(*other);
  Rng rng(1);
  p.prompt_template = peft::front_template(4);
  peft::attach(*other, p, rng);
  const auto before = peft::parameters(*other, "default")[0].second->value().values();
  EXPECT_THROW(train::load_checkpoint(peft::learning(*other), scratch.path("state.safetensors")), FormatError);
  EXPECT_EQ(peft::parameters(*other, "default")[0].second->value().values(), before);
}

}  // namespace
}  // namespace graft
