#include "nn/token_classifier.h"

#include "autograd/sizes.h"
#include "nn/layers.h"

namespace graft {

TokenClassifier::TokenClassifier(std::unique_ptr<Model> m, std::vector<std::string> names, real dropout)
    : model(*this, "", std::move(m)),
      drop(*this, "drop", dropout > 0 ? std::make_unique<Dropout>(dropout) : nullptr),
      classifier(*this, "classifier"),
      labels(std::move(names)) {
  expect<ValueError>(!labels.empty(), "TokenClassifier: no labels given; at least one is needed");
  classifier.put(std::make_unique<Linear>(model->width(), size_of(labels), true));
}

std::string TokenClassifier::kind() const { return text("TokenClassifier, ", labels.size(), " labels, of ", model->kind()); }

Variable TokenClassifier::operator()(const Templated& batch) {
  Past past = model->begin(batch.rows());
  const Variable x = model->hidden(batch, past);  // (B, T, D)
  return classifier(drop.empty() ? x : drop(x));
}

Variable token_loss(TokenClassifier& classifier, const Batch& user, const Reduction& reduction) {
  expect(user.labels.numel() > 0, "token_loss: there are no labels for ids ", user.ids.shape());
  const Templated batch = classifier.model->prompt_template(user);
  return cross_entropy(classifier(batch), batch.labels, reduction);
}

}  // namespace graft
