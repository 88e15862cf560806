// Classification of every token, beyond models_test.cpp's comparison with transformers: dropout, the loss, what is refused.
#include "autograd/sizes.h"
#include "nn/token_classifier.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "nn/layers.h"
#include "nn/load.h"
#include "tests/formats/scratch_folder.h"
#include "tests/nn/fixture.h"

namespace graft {
namespace {

using fixture::path;

real dropout_of(const Loaded& l) {
  const RowMap& drop = *l.token_classifier->drop;
  return dynamic_cast<const Dropout&>(drop).p;
}

TEST(TokenClassifier, DropoutOfTheConfiguration) {
  const formats::ScratchFolder scratch;
  fixture::json config = fixture::json_of(path("llama_token_classifier") + "/config.json");
  const auto loaded = [&](const char* field) {
    if (*field) config[field] = 0.25 + config.value("hidden_dropout", 0.0);
    std::filesystem::create_directories(scratch.path("in"));
    std::filesystem::copy_file(path("llama_token_classifier") + "/model.safetensors", scratch.path("in") + "/model.safetensors",
                               std::filesystem::copy_options::overwrite_existing);
    std::ofstream(scratch.path("in") + "/config.json") << config;
    return load_model(scratch.path("in"));
  };
  EXPECT_EQ(dropout_of(loaded("")), real(0.1)) << "transformers' default";
  EXPECT_EQ(dropout_of(loaded("hidden_dropout")), real(0.25));
  const Loaded l = loaded("classifier_dropout");
  EXPECT_EQ(dropout_of(l), real(0.5)) << "goes before the other";
  save_model(l, scratch.path("out"));
  EXPECT_EQ(dropout_of(load_model(scratch.path("out"))), real(0.5));

  // Half of the head's inputs are 0 while training, the others doubled: the answer's mean over many draws stays.
  const NoGrad no_grad;
  const Ids ids = fixture::row_of({5, 6, 7});
  const Tensor calm = (*l.token_classifier)(ids).value();
  Rng rng(1);
  l.root->training(&rng);
  fixture::Numbers mean(static_cast<std::size_t>(calm.numel()));
  bool moved = false;
  for (int i = 0; i < 2000; ++i) {
    const Tensor y = (*l.token_classifier)(ids).value();
    moved = moved || y.values() != calm.values();
    for (Index k = 0; k < y.numel(); ++k) nth(mean, k) += y[k] / 2000;
  }
  EXPECT_TRUE(moved);
  EXPECT_LE(fixture::apart(mean, table::numbers(calm)), 0.15);
}

TEST(TokenClassifier, LossIsOfTheTokenItself) {
  const fixture::Built b = fixture::build("gpt2_token_classifier");
  const Ids ids({1, 3}, {5, 6, 7}), labels({1, 3}, {ignored, 4, ignored});
  const NoGrad no_grad;
  const Tensor y = (*b.token_classifier)(ids).value();
  double sum = 0;
  for (Index c = 0; c < 5; ++c) sum += std::exp(double(y[5 + c]));
  EXPECT_NEAR(token_loss(*b.token_classifier, {ids, labels}).item(), std::log(sum) - y[5 + 4], 1e-5);
}

TEST(TokenClassifier, RefusesWhatCannotBe) {
  fixture::Built b = fixture::build("gpt2_token_classifier");
  EXPECT_THROW((*b.token_classifier)(Ids({3}, {5, 6, 7})), ShapeError);
  EXPECT_THROW(token_loss(*b.token_classifier, {Ids({1, 2}, {5, 6}), Ids({1, 3}, {0, 1, 2})}), ShapeError);
  EXPECT_THROW(token_loss(*b.token_classifier, {Ids({1, 2}, {5, 6}), Ids({1, 2}, {0, 5})}), IndexError);
  EXPECT_THROW(token_loss(*b.token_classifier, {Ids({1, 2}, {5, 6}), Ids({1, 2}, {ignored, ignored})}), ValueError);
  EXPECT_THROW(TokenClassifier(b.token_classifier->model.take(), {}), ValueError);
}

}  // namespace
}  // namespace graft
