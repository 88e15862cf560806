#include "nn/classifier.h"

#include "autograd/sizes.h"
#include "nn/layers.h"

namespace graft {

Classifier::Classifier(std::unique_ptr<Model> m, std::vector<std::string> names, Id padding)
    : model(*this, "", std::move(m)),
      score(*this, "score"),
      pad(padding),
      labels(std::move(names)) {
  expect<ValueError>(!labels.empty(), "Classifier: no labels given; at least one is needed");
  score.put(std::make_unique<Linear>(model->width(), size_of(labels), false));
}

std::string Classifier::kind() const { return text("Classifier, ", labels.size(), " labels, of ", model->kind()); }

Variable Classifier::operator()(const Batch& user) {
  user.check();
  Batch rows = user;
  if (rows.lengths.empty()) {
    const Index T = rows.ids.shape()[1];
    for (Index b = 0; b < user.rows(); ++b) {
      Index length = T;
      while (length > 1 && pad >= 0 && rows.ids[b * T + length - 1] == pad) --length;
      rows.lengths.push_back(length);
    }
  }
  const Templated batch = model->prompt_template(rows);
  Past past = model->begin(batch.rows());
  return score(rows_at(model->hidden(batch, past), batch.last()));
}

}  // namespace graft
