// Tasks: their losses and gradients against sums by hand, and what they refuse.
#include "autograd/sizes.h"
#include "tune/task.h"

#include <gtest/gtest.h>

#include <cmath>

#include "peft/ensemble.h"
#include "peft/lora.h"
#include "peft/prompt.h"
#include "tests/tune/small.h"
#include "tune/answers.h"
#include "tune/classes.h"

namespace graft::tune {
namespace {

class TuneTask : public ::testing::Test {
 protected:
  train::Dataset reviews(int count = 12) { return train::read_dataset(files.reviews(count), tokenizer()); }
  train::Dataset pairs(int count = 9) { return train::read_dataset(files.pairs(count), tokenizer()); }
  static std::map<std::string, Tensor> gradients(const peft::BaseModel& base) {
    std::map<std::string, Tensor> all;
    for (const auto& [path, parameter] : peft::learning(base)) all[path] = parameter->own().grad();
    return all;
  }
  Files files;
  Rng rng{1};
};

double log_softmax(const Tensor& logits, Index row, Index of) {
  const Index n = logits.dim(1);
  double sum = 0;
  for (Index i = 0; i < n; ++i) sum += std::exp(static_cast<double>(logits[row * n + i]));
  return static_cast<double>(logits[row * n + of]) - std::log(sum);
}

TEST_F(TuneTask, LossOfClassesIsTheMeanOfMinusLogP) {
  Loaded base = small_model();
  const train::Dataset data = reviews();
  make_classifier(base, data.labels, rng);
  peft::attach(base, peft::Lora{}, rng);
  const ClassTask task(base, data, {}, 5, rng);
  base.root->training(nullptr);
  double sum = 0;
  for (const train::Example& e : data.examples) {
    const NoGrad constant;
    const Index n = size_of(e.ids);
    sum -= log_softmax((*base.classifier)(Ids({1, n}, e.ids)).value(), 0, e.label);
  }
  EXPECT_NEAR(task.loss(data), sum / static_cast<double>(data.examples.size()), 1e-5);
}

TEST_F(TuneTask, LossOfLabelWordsComparesTheirLogitsAlone) {
  Loaded base = small_model();
  const train::Dataset data = reviews();
  const peft::Verbalizer verbalizer(label_words(data.labels, {{"good", {"!"}}, {"bad", {"?"}}}), tokenizer(),
                                    base.model->vocabulary());
  peft::attach(base, peft::Lora{}, rng);
  const ClassTask task(base, data, {}, 5, rng, verbalizer);
  base.root->training(nullptr);
  const Id good = tokenizer().encode("!")[0], bad = tokenizer().encode("?")[0];
  double sum = 0;
  for (const train::Example& e : data.examples) {
    const NoGrad constant;
    const Index n = size_of(e.ids);
    const Tensor logits = (*base.model)(Ids({1, n}, e.ids)).value();
    const auto at = [&](Id id) { return static_cast<double>(logits[(n - 1) * base.model->vocabulary() + id]); };
    const double other = nth(data.labels, e.label) == "good" ? at(bad) - at(good) : at(good) - at(bad);
    sum += std::log1p(std::exp(other));
  }
  EXPECT_NEAR(task.loss(data), sum / static_cast<double>(data.examples.size()), 1e-5);
}

TEST_F(TuneTask, SeveralBatchesOfAStepAreOneLargeBatch) {
  for (const bool classes : {false, true}) {
    std::map<std::string, Tensor> large, small;
    double losses[2];
    for (const Index parts : {1, 3}) {
      Loaded base = small_model();
      Rng draws(3);
      const train::Dataset data = classes ? reviews(9) : pairs();
      if (classes) make_classifier(base, data.labels, draws);
      peft::attach(base, peft::Lora{}, draws);
      std::unique_ptr<Task> task;
      if (classes) task = std::make_unique<ClassTask>(base, data, train::Dataset(), 9 / parts, draws);
      else task = std::make_unique<LanguageTask>(base, data, train::Dataset(), 9 / parts, draws);
      task->accumulate = parts;
      losses[parts / 3] = task->gradients(0);
      (parts == 1 ? large : small) = gradients(base);
    }
    EXPECT_NEAR(losses[0], losses[1], 1e-6);
    ASSERT_EQ(large.size(), small.size());
    for (const auto& [path, g] : large) {
      ASSERT_EQ(small.at(path).shape(), g.shape()) << path;
      for (Index i = 0; i < g.numel(); ++i) ASSERT_NEAR(small.at(path)[i], g[i], 1e-6) << path;
    }
  }
}

TEST_F(TuneTask, EachPromptOfAnEnsembleLearnsAndIsClippedAsIfAlone) {
  const train::Dataset data = pairs(4);
  peft::PromptTuning method;
  method.length = 3;
  Loaded together = small_model();
  const std::vector<std::string> prompts = peft::names_of(peft::attach_ensemble(together, method, 2, rng, "p"));
  LanguageTask task(together, data, data, 4, rng, prompts);
  (void)task.gradients(0);
  task.clip(1e-3);
  const double both = task.loss(data);
  double sum = 0;
  for (const std::string& prompt : prompts) {
    peft::select(together, prompt);
    const Variable y = language_loss(*together.model, train::batch(data, {0, 1, 2, 3}, 0));
    sum += static_cast<double>(y.item());
    const auto own = peft::parameters(together, prompt);
    double norm = 0;
    for (const auto& [path, parameter] : own) {
      const Tensor g = parameter->own().grad();
      for (Index i = 0; i < g.numel(); ++i) norm += static_cast<double>(g[i]) * static_cast<double>(g[i]);
    }
    EXPECT_NEAR(std::sqrt(norm), 1e-3, 1e-5) << prompt;
  }
  EXPECT_NEAR(both, sum / 2, 1e-5);
}

TEST_F(TuneTask, WhatDoesNotGoTogetherIsAnErrorThatSaysWhatDoes) {
  Loaded base = small_model(), head = small_model();
  const train::Dataset classes = reviews(), text = pairs();
  make_classifier(head, classes.labels, rng);
  const auto said = [](const auto& f) -> std::string {
    try {
      f();
    } catch (const ValueError& e) { return e.what(); }
    return "no error";
  };
  const auto has = [](const std::string& all, const std::string& word) {
    EXPECT_NE(all.find(word), std::string::npos) << all;
  };
  has(said([&] { ClassTask(base, classes, {}, 4, rng); }), "make_classifier");
  has(said([&] { ClassTask(head, text, {}, 4, rng); }), "LanguageTask");
  has(said([&] { LanguageTask(base, classes, {}, 4, rng); }), "ClassTask");
  has(said([&] { LanguageTask(head, text, {}, 4, rng); }), "classifier");
  has(said([&] { make_classifier(head, classes.labels, rng); }), "already");
  has(said([&] { make_classifier(base, {"one"}, rng); }), "two labels");
  has(said([&] { label_words(classes.labels, {{"goood", {"x"}}}); }), "goood");
  EXPECT_TRUE(base.classifier == nullptr && base.root != nullptr);
}

TEST_F(TuneTask, LabelWordsHaveTheSpaceThatTheyHaveInASentence) {
  using Words = std::vector<std::vector<std::string>>;
  EXPECT_EQ(label_words({"good", "\u597d", "\u00e9t\u00e9"}), (Words{{" good"}, {"\u597d"}, {" \u00e9t\u00e9"}}));
  EXPECT_EQ(label_words({"a", "b"}, {{"b", {"x", "!"}}}), (Words{{" a"}, {" x", "!"}}));
}

TEST_F(TuneTask, AHeadGoesOnOnceAndTheBaseStaysAsItWas) {
  Loaded base = small_model();
  const std::vector<real> before = base.model->table()->dense().values();
  make_classifier(base, {"a", "b", "c"}, rng);
  ASSERT_NE(base.classifier, nullptr);
  EXPECT_EQ(base.classifier->model.operator->(), base.model);
  EXPECT_EQ(base.classifier->score->out(), 3);
  EXPECT_EQ(base.model->table()->dense().values(), before);
}

}  // namespace
}  // namespace graft::tune
