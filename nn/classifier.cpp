#include "nn/classifier.h"

#include "nn/layers.h"

namespace graft {

Classifier::Classifier(std::unique_ptr<Model> m, std::vector<std::string> names, Id padding)
    : model(*this, "", std::move(m)),
      score(*this, "score"),
      pad(padding),
      labels(std::move(names)) {
  expect<ValueError>(!labels.empty(), "Classifier: no labels given; at least one is needed");
  score.put(std::make_unique<Linear>(model->width(), static_cast<Index>(labels.size()), false));
}

std::string Classifier::kind() const { return text("Classifier, ", labels.size(), " labels, of ", model->kind()); }

Variable Classifier::operator()(const Ids& ids, const std::vector<Index>& lengths) {
  expect(ids.shape().rank() == 2 && ids.numel() > 0, "Classifier: ids have shape ", ids.shape(), ", but (B, T) is needed");
  const Index B = ids.shape()[0], T = ids.shape()[1];
  expect(lengths.empty() || static_cast<Index>(lengths.size()) == B, "Classifier: ", lengths.size(), " lengths for ", B,
         " rows");
  std::vector<Index> last;  // of each row
  for (Index b = 0; b < B; ++b) {
    Index t = lengths.empty() ? T - 1 : lengths[static_cast<std::size_t>(b)] - 1;
    expect<IndexError>(0 <= t && t < T, "Classifier: row ", b, " has ", t + 1, " tokens, but there are 1 to ", T);
    if (lengths.empty())
      while (t > 0 && ids[b * T + t] == pad) --t;
    last.push_back(t);
  }
  Past past = model->begin(B);
  return score(rows_at(model->hidden(ids, past), last));
}

}  // namespace graft
