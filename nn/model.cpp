#include "nn/model.h"

#include <algorithm>
#include <typeinfo>

#include "nn/layers.h"

namespace graft {

Past Model::begin(Index batch) {
  Past past = memory(batch);
  past.expect_fits(batch, layer_count());
  return past;
}

Index Model::room() {
  const Index rows = std::max<Index>(static_cast<Index>(selection.rows.size()), 1);
  const Framed one = frame(Framed{Ids({rows, 1}, std::vector<Id>(static_cast<std::size_t>(rows), 0)), {}, {}});
  return context() - memory->length() - (one.ids.shape()[1] - 1);
}

Variable Model::operator()(const Ids& ids) {
  Past past = begin(ids.shape().dim(0));
  return (*this)(ids, past);
}

Variable Model::hidden(const Ids& ids, Past& past) {
  expect(ids.shape().rank() == 2 && ids.numel() > 0, "model: ids have shape ", ids.shape(),
         ", but (B, T) is needed, with at least one");
  const Index B = ids.shape()[0], T = ids.shape()[1];
  past.expect_fits(B, layer_count());
  const Index longest = past.longest();
  expect<IndexError>(longest + T <= context(), "model: ", longest, " positions are taken and ", T,
                     " more are asked for, but the ", "context has ", context(), "; use fewer tokens");
  std::vector<Id> positions;
  positions.reserve(static_cast<std::size_t>(B * T));
  for (const Index length : past.lengths)
    for (Index t = 0; t < T; ++t) positions.push_back(static_cast<Id>(length + t));
  const Variable x = forward(ids, Ids(ids.shape(), std::move(positions)), past);
  past.advance(T);
  return x;
}

Variable language_loss(Model& model, const Ids& ids, const Ids& labels, const Reduction& reduction) {
  expect(ids.shape() == labels.shape(), "language_loss: ids ", ids.shape(), " and labels ", labels.shape(),
         " must have the same shape");
  const Framed framed = model.frame(Framed{ids, labels, {}});
  Past past = model.begin(framed.ids.shape().dim(0));
  const Variable x = model.hidden(framed.ids, past);  // (B, T, D)

  // Position t predicts label t + 1; the last one predicts nothing.
  const Index B = framed.ids.shape()[0], T = framed.ids.shape()[1];
  std::vector<Id> next(static_cast<std::size_t>(B * T), ignored);
  for (Index b = 0; b < B; ++b)
    for (Index t = 0; t + 1 < T; ++t) next[static_cast<std::size_t>(b * T + t)] = framed.labels[b * T + t + 1];
  const Ids shifted({B, T}, std::move(next));

  Slot<Projection>& head = model.output();
  const Projection& occupant = *head;
  const auto* plain =
      typeid(occupant) == typeid(Linear) ? dynamic_cast<const Linear*>(&occupant) : nullptr;  // not what derives from it
  if (plain && !plain->b) return linear_cross_entropy(x, plain->weight, shifted, reduction);
  return cross_entropy_by_rows(
      x, shifted, [&](const Variable& rows) { return head(rows); }, reduction);
}

}  // namespace graft
