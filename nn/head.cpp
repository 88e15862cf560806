#include "nn/head.h"

namespace graft {

std::unique_ptr<Projection> put_head(Loaded& loaded, HeadOf of, std::vector<std::string> labels) {
  expect<ValueError>(!loaded.classifier && !loaded.token_classifier, loaded.path, " is a classifier already");
  std::unique_ptr<Projection> words = loaded.model->output().take();
  (void)loaded.root.release();  // root is the model itself, which has one owner at any time
  std::unique_ptr<Model> model(loaded.model);
  if (of == HeadOf::tokens) {
    auto classifier = std::make_unique<TokenClassifier>(std::move(model), std::move(labels), real(0.1));  // as transformers
    loaded.token_classifier = classifier.get();
    loaded.root = std::move(classifier);
  } else {
    auto classifier = std::make_unique<Classifier>(std::move(model), std::move(labels), loaded.pad);
    loaded.classifier = classifier.get();
    loaded.root = std::move(classifier);
  }
  return words;
}

void take_head(Loaded& loaded, std::unique_ptr<Projection> words) {
  expect<ValueError>(loaded.classifier || loaded.token_classifier, loaded.path, " has no classification head to remove");
  std::unique_ptr<Model> model = loaded.classifier ? loaded.classifier->model.take() : loaded.token_classifier->model.take();
  loaded.classifier = nullptr, loaded.token_classifier = nullptr;
  loaded.root = std::move(model);
  loaded.model->output().put(std::move(words));
}

}  // namespace graft
