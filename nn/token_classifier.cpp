#include "nn/token_classifier.h"

#include <numeric>

#include "nn/layers.h"

namespace graft {

TokenClassifier::TokenClassifier(std::unique_ptr<Model> m, std::vector<std::string> names, real dropout)
    : model(*this, "", std::move(m)),
      drop(*this, "drop", dropout > 0 ? std::make_unique<Dropout>(dropout) : nullptr),
      classifier(*this, "classifier"),
      labels(std::move(names)) {
  expect<ValueError>(!labels.empty(), "TokenClassifier: no labels given; at least one is needed");
  classifier.put(std::make_unique<Linear>(model->width(), static_cast<Index>(labels.size()), true));
}

std::string TokenClassifier::kind() const { return text("TokenClassifier, ", labels.size(), " labels, of ", model->kind()); }

Variable TokenClassifier::operator()(const Ids& ids) {
  expect(ids.shape().rank() == 2 && ids.numel() > 0, "TokenClassifier: ids have shape ", ids.shape(), ", but (B, T) is needed");
  Past past = model->begin(ids.shape()[0]);
  const Variable x = model->hidden(ids, past);  // (B, T, D)
  return classifier(drop.empty() ? x : drop(x));
}

Variable token_loss(TokenClassifier& classifier, const Ids& ids, const Ids& labels, const Reduction& reduction) {
  expect(ids.shape() == labels.shape(), "token_loss: ids ", ids.shape(), " and labels ", labels.shape(),
         " must have the same shape");
  // To the frame every token is labelled, by its number: where one is labelled and the next is not says nothing here.
  std::vector<Id> numbers(static_cast<std::size_t>(ids.numel()));
  std::iota(numbers.begin(), numbers.end(), Id(0));
  const Framed framed = classifier.model->frame(Framed{ids, Ids(ids.shape(), std::move(numbers)), {}});
  std::vector<Id> said(framed.labels.begin(), framed.labels.end());
  for (Id& label : said)
    if (label != ignored) label = labels[label];
  return cross_entropy(classifier(framed.ids), Ids(framed.ids.shape(), std::move(said)), reduction);
}

}  // namespace graft
