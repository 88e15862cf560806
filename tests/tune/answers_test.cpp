// Fine-tuning from C++ in ten lines, its answers, and what is seen of the method, against what is computed by hand.
#include "autograd/sizes.h"
#include "tune/answers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "autograd/linalg.h"
#include "peft/adapter_file.h"
#include "peft/ensemble.h"
#include "peft/lora.h"
#include "peft/prefix.h"
#include "peft/prompt.h"
#include "tests/tune/small.h"
#include "tune/classes.h"
#include "tune/insight.h"
#include "tune/text_classifier.h"

namespace graft::tune {
namespace {

class TuneAnswers : public ::testing::Test {
 protected:
  Files files;
  Rng rng{1};
};

TEST_F(TuneAnswers, TenLinesTeachAClassifier) {
  Loaded base = small_model();
  train::Dataset data = train::read_dataset(files.reviews(60), tokenizer()), held = train::split(data, 0.2, 1);
  make_classifier(base, data.labels, rng);
  peft::attach(base, peft::Lora{}, rng);
  ClassTask task(base, data, held, 16, rng);
  train::AdamW adam(peft::learning(base));
  const train::TrainingState end = train::run(task, adam, train::Plan(60, 2e-2));
  EXPECT_EQ(end.step, 60);
  EXPECT_EQ(accuracy(task, held), 1);  // one word tells the class

  // By hand: the class with the largest logit.
  Index right = 0;
  for (const train::Example& e : held.examples) {
    const NoGrad constant;
    const Evaluating no_dropout(*base.root);
    const Tensor logits = (*base.classifier)(Ids({1, size_of(e.ids)}, e.ids)).value();
    right += (logits[0] >= logits[1] ? 0 : 1) == e.label;
  }
  EXPECT_EQ(right, size_of(held.examples));
}

TEST_F(TuneAnswers, CompletionsAreWrittenAndScored) {
  Loaded base = small_model();
  train::Dataset data = train::read_dataset(files.pairs(30), tokenizer(), texts_of(base, tokenizer()).reading());
  peft::Lora lora;
  lora.targets = {"q", "k", "v", "out", "up", "down"};
  peft::attach(base, lora, rng);
  LanguageTask task(base, data, data, 10, rng);
  const Score before = score(task, data, complete(task, data, tokenizer(), base.ends, -1, 6));
  train::AdamW adam(peft::learning(base));
  train::run(task, adam, train::Plan(150, 3e-2));
  const std::vector<std::string> written = complete(task, data, tokenizer(), base.ends, -1, 6);
  ASSERT_EQ(written.size(), 6u);
  EXPECT_EQ(written[0], " sat on the mat");
  EXPECT_EQ(written[1], " ate");
  const Score after = score(task, data, written);
  EXPECT_EQ(after.name, "BLEU");
  EXPECT_EQ(after.exact.value(), 1);
  EXPECT_LT(before.exact.value(), 1);
}

TEST_F(TuneAnswers, AnEnsembleAnswersByItsMajority) {
  Loaded base = small_model();
  const train::Dataset data = train::read_dataset(files.reviews(12), tokenizer());
  make_classifier(base, data.labels, rng);
  peft::PromptTuning method;
  method.length = 4, method.init = peft::PromptTuning::Init::random;
  const std::vector<std::string> prompts = peft::names_of(peft::attach_ensemble(base, method, 3, rng, "p"));
  for (const std::string& prompt : prompts)  // apart, so that they may disagree
    for (const auto& [path, parameter] : peft::parameters(base, prompt)) parameter->set(normal(parameter->shape(), 0, 1, rng));
  const ClassTask task(base, data, data, 5, rng, prompts);
  const Predicted all = predict(task, data);
  std::vector<std::vector<Index>> each;
  for (const std::string& prompt : prompts) {
    const ClassTask alone(base, data, data, 5, rng);
    peft::select(base, prompt);
    each.push_back(predict(alone, data).classes);
  }
  for (std::size_t i = 0; i < data.examples.size(); ++i) {
    const Index ones = each[0][i] + each[1][i] + each[2][i];
    EXPECT_EQ(all.classes[i], ones >= 2 ? 1 : 0) << i;
    EXPECT_EQ(all.votes[static_cast<Index>(i) * 2 + 1], static_cast<real>(ones)) << i;
  }
}

TEST_F(TuneAnswers, AnEnsembleWritesWhatMostOfItsPromptsWrite) {
  Loaded base = small_model();
  const train::Dataset data = train::read_dataset(files.pairs(9), tokenizer());
  for (const auto& [path, parameter] : base.root->parameters())  // attention that is not spread evenly over all tokens
    if (path.find("attn") != std::string::npos && parameter->shape().rank() == 2)
      parameter->set(normal(parameter->shape(), 0, 1, rng));
  peft::PromptTuning method;
  method.length = 4, method.init = peft::PromptTuning::Init::random;
  std::vector<std::string> prompts = peft::names_of(peft::attach_ensemble(base, method, 3, rng, "p"));
  for (std::size_t k = 1; k < 3; ++k) {  // the second and the third are alike, the first is another
    Rng same(7);
    for (const auto& [path, parameter] : peft::parameters(base, prompts[k])) parameter->set(normal(parameter->shape(), 0, 3, same));
  }
  const auto written = [&](const std::vector<std::string>& of) {
    const LanguageTask task(base, data, data, 4, rng, of);
    return complete(task, data, tokenizer(), base.ends);
  };
  peft::select(base, prompts[1]);
  const std::vector<std::string> two = written({});
  peft::select(base, prompts[0]);
  EXPECT_NE(written({}), two);
  EXPECT_EQ(written(prompts), two);
}

TEST_F(TuneAnswers, LoraDeltaIsTheSpectrumOfItsProduct) {
  Loaded base = small_model();
  peft::Lora lora;
  lora.r = 3, lora.alpha = 6, lora.targets = {"v"};
  peft::attach(base, lora, rng);
  for (const auto& [path, parameter] : peft::learning(base)) parameter->set(normal(parameter->shape(), 0, 1, rng));
  const std::vector<LoraDelta> all = lora_delta(base);
  ASSERT_EQ(all.size(), 2u);
  for (const LoraDelta& one : all) {
    Tensor A, B, W;
    for (const auto& [path, parameter] : base.root->parameters()) {
      if (path.rfind(one.path, 0) != 0) continue;
      if (path.find("lora_A") != std::string::npos) A = parameter->value();
      else if (path.find("lora_B") != std::string::npos) B = parameter->value();
      else if (path.find("weight") != std::string::npos) W = parameter->value();
    }
    ASSERT_EQ(A.shape(), Shape({3, 16}));
    Tensor delta(Shape{16, 16});
    real* to = delta.write();
    double norm = 0, of_base = 0;
    for (Index i = 0; i < 16; ++i)
      for (Index j = 0; j < 16; ++j) {
        double sum = 0;
        for (Index k = 0; k < 3; ++k) sum += 2.0 * static_cast<double>(B[i * 3 + k]) * static_cast<double>(A[k * 16 + j]);
        to[i * 16 + j] = static_cast<real>(sum);
        norm += sum * sum, of_base += static_cast<double>(W[i * 16 + j]) * static_cast<double>(W[i * 16 + j]);
      }
    const Tensor S = singular_values(delta).S;
    ASSERT_EQ(one.singular.size(), 3u);
    for (Index k = 0; k < 3; ++k)
      EXPECT_NEAR(nth(one.singular, k), static_cast<double>(S[k]), 1e-4 * static_cast<double>(S[0]));
    EXPECT_NEAR(one.norm, std::sqrt(norm / of_base), 1e-4 * one.norm);
  }
  std::ostringstream said;
  said << all;
  EXPECT_NE(said.str().find(all[0].path), std::string::npos) << said.str();
  EXPECT_THROW(lora_delta(base, "nobody"), ValueError);
}

TEST_F(TuneAnswers, AttentionToAPrefixIsAShare) {
  Loaded base = small_model();
  const train::Dataset data = train::read_dataset(files.pairs(4), tokenizer());
  const Batch user = train::batch(data, {0, 1}, 0);
  EXPECT_THROW(prefix_attention(base, user), ValueError);
  peft::PrefixTuning method;
  method.length = 5, method.init = peft::PrefixTuning::Init::zero;
  peft::attach(base, method, rng);
  // Keys of zeros give logits of zero. Queries of zero, too: then all positions get the same.
  for (const auto& [path, parameter] : base.root->parameters())
    if (path.find("attn.q") != std::string::npos) parameter->set(Tensor(parameter->shape(), 0));
  const auto all = prefix_attention(base, user);
  ASSERT_EQ(all.size(), 2u);
  double expected = 0;
  for (std::size_t b = 0; b < 2; ++b) {
    double sum = 0;
    const Index T = user.lengths.empty() ? user.ids.shape()[1] : user.lengths[b];
    for (Index t = 0; t < T; ++t) sum += 5.0 / static_cast<double>(5 + t + 1);
    expected += sum / static_cast<double>(T) / 2;
  }
  for (const auto& heads : all)
    for (const double share : heads) EXPECT_NEAR(share, expected, 1e-6);
}

TEST_F(TuneAnswers, AVirtualTokenThatIsAWordIsNearestToIt) {
  Loaded base = small_model();
  peft::PromptTuning method;
  method.init = peft::PromptTuning::Init::text, method.text = tokenizer().encode(" cat dog"), method.length = 2;
  peft::attach(base, method, rng);
  const std::vector<VirtualToken> all = nearest_words(base, tokenizer());
  ASSERT_EQ(all.size(), 2u);
  ASSERT_EQ(all[0].near.size(), 3u);
  EXPECT_EQ(all[0].near[0].word, tokenizer().decode({tokenizer().encode(" cat dog")[0]}));
  EXPECT_NEAR(all[0].near[0].cosine, 1, 1e-6);
  EXPECT_GE(all[1].near[0].cosine, all[1].near[1].cosine);
  Loaded plain = small_model();
  EXPECT_TRUE(nearest_words(plain, tokenizer()).empty());
}

TEST_F(TuneAnswers, WhatWasLearnedIsLoadedAgainInALine) {
  const std::string model = files.folder.path("model"), adapter = files.folder.path("adapter");
  std::filesystem::create_directories(model), std::filesystem::create_directories(adapter);
  Loaded base = small_model();
  save_model(base, model, "F32", &tokenizer());
  const train::Dataset data = train::read_dataset(files.reviews(24), tokenizer());
  make_classifier(base, data.labels, rng);
  const peft::Attached lora = peft::attach(base, peft::Lora{}, rng);
  ClassTask task(base, data, data, 8, rng);
  train::AdamW adam(peft::learning(base));
  train::run(task, adam, train::Plan(10, 1e-2));
  peft::save_adapter(base, lora, adapter);
  save_classes({data.labels, {}, false}, adapter);

  const TextClassifier classify(model, adapter);
  EXPECT_EQ(classify.labels(), data.labels);
  for (std::size_t i = 0; i < 6; ++i) {
    const train::Example& e = data.examples[i];
    const NoGrad constant;
    const Evaluating no_dropout(*base.root);
    const Tensor logits = (*base.classifier)(Ids({1, size_of(e.ids)}, e.ids)).value();
    const double p = 1 / (1 + std::exp(-std::fabs(static_cast<double>(logits[0]) - static_cast<double>(logits[1]))));
    const TextClassifier::Answer said = classify(e.prompt);
    EXPECT_EQ(said.label, data.labels[logits[0] >= logits[1] ? 0 : 1]);
    EXPECT_NEAR(said.probability, p, 1e-5);
  }
  EXPECT_THROW(classify(""), ValueError);
  EXPECT_THROW(TextClassifier{model}, ValueError);
}

}  // namespace
}  // namespace graft::tune
