#include "nn/model.h"

#include <algorithm>
#include <typeinfo>

#include "autograd/recompute.h"
#include "autograd/sizes.h"
#include "autograd/text.h"
#include "nn/layers.h"

namespace graft {

Past Model::begin(Index batch) {
  Past past = memory(batch);
  past.expect_fits(batch, layer_count());
  return past;
}

Index Model::free_positions() {
  const Index rows = std::max<Index>(size_of(selection_.rows()), 1);
  const Templated one = prompt_template(Batch{Ids({rows, 1}, std::vector<Id>(static_cast<std::size_t>(rows), 0))});
  return context() - memory->length() - (one.ids.shape()[1] - 1);
}

Variable Model::operator()(const Templated& batch) {
  Past past = begin(batch.rows());
  return output()(hidden(batch, past));
}

Variable Model::hidden(const Templated& batch, Past& past) {
  const Ids& ids = batch.ids;
  const Index B = ids.shape()[0], T = ids.shape()[1], chosen = size_of(selection_.rows());
  expect(chosen == 0 || chosen == B, "selection: ", chosen, " rows were selected, but the batch has ", B);
  past.expect_fits(B, layer_count());
  const Index longest = past.longest();
  expect<IndexError>(longest + T <= context(), "model: ", longest, " positions are in use and ", T,
                     " more are needed, but the ", "context has ", context(), "; use fewer tokens");
  std::vector<Id> positions;
  positions.reserve(static_cast<std::size_t>(B * T));
  for (const Index length : past.lengths)
    for (Index t = 0; t < T; ++t) positions.push_back(static_cast<Id>(length + t));
  Variable x;
  try {
    x = forward(ids, Ids(ids.shape(), std::move(positions)), past);
  } catch (const ValueError&) {
    for (const auto& named : parameters())  // a parameter has a name, but not its path
      expect<ValueError>(named.second->initialized(), "parameter ", named.first, " ", named.second->shape(),
                         " has no numbers yet; load the model from a file, or initialize() it");
    throw;
  }
  batch.lengths.empty() ? past.advance(T) : past.advance(batch.lengths);
  return x;
}

void Model::select(Selection selection) {
  for (const std::string& name : selection.names())
    expect<ValueError>(attachments.has(name), [&] {
      const std::vector<std::string> all = attachments.names();
      return text("select: there is no \"", name, "\"; attached are ", all.empty() ? "none" : joined(all), ", and \"\" is the base");
    });
  selection_ = std::move(selection);
}

WithSelection::~WithSelection() {
  const std::set<std::string> names = before_.names();
  const bool there = std::all_of(names.begin(), names.end(), [&](const std::string& name) { return model_.attachments.has(name); });
  model_.select(there ? std::move(before_) : Selection());
}

namespace {
/// While it exists, dropout draws as in the first run.
class WithDraws {
 public:
  WithDraws(Model& m, Rng* draws) : model_(m), before_(m.randomness()) {
    if (before_ != draws) model_.training(draws);
  }
  ~WithDraws() {
    if (model_.randomness() != before_) model_.training(before_);
  }
  WithDraws(const WithDraws&) = delete;
  WithDraws& operator=(const WithDraws&) = delete;

 private:
  Model& model_;
  Rng* before_;
};
}  // namespace

Variable Model::recomputed(const std::function<Variable(const Variable& x, KeyValue& keys)>& f, const Variable& x,
                           KeyValue& keys) {
  if (!recomputing || !recording()) return f(x, keys);
  const std::weak_ptr<const Model> model = self_;
  const auto again = [this, model, f, keys, then = selection_](const Variable& in, Rng* draws) {
    expect<GraphError>(!model.expired(), "backward: the model that this was computed with is gone, and recomputing would run ",
                       "its blocks again; keep the model until backward(), or do without recomputing");
    const WithSelection as_then(*this, then);
    const WithDraws same(*this, draws);
    KeyValue own = keys;
    return f(in, own);
  };
  if (!randomness()) return recompute([again](const std::vector<Variable>& in) { return again(in[0], nullptr); }, {x});
  return recompute([again](const std::vector<Variable>& in, Rng& draws) { return again(in[0], &draws); }, {x}, *randomness());
}

Variable rows_at(const Variable& x, const std::vector<Index>& at) {
  expect(x.shape().rank() == 3 && x.dim(0) == size_of(at), "rows_at: ", at.size(), " places in x ", x.shape(),
         ", but (B, T, D) with a place for each b is needed");
  const Index B = x.dim(0), T = x.dim(1), D = x.dim(2);
  std::vector<Id> rows;  // among all B·T
  for (Index b = 0; b < B; ++b) {
    const Index t = nth(at, b);
    expect<IndexError>(0 <= t && t < T, "rows_at: place ", t, " of row ", b, " asked for, but there are 0 to ", T - 1);
    rows.push_back(static_cast<Id>(b * T + t));
  }
  return lookup(reshape(x, {B * T, D}), Ids({B}, std::move(rows)));
}

Ids next_labels(const Ids& labels) {
  expect(labels.shape().rank() == 2, "next_labels: labels ", labels.shape(), ", but (B, T) is needed");
  const Index B = labels.shape()[0], T = labels.shape()[1];
  std::vector<Id> next(static_cast<std::size_t>(B * T), ignored);
  for (Index b = 0; b < B; ++b)
    for (Index t = 0; t + 1 < T; ++t) nth(next, b * T + t) = labels[b * T + t + 1];
  return Ids(labels.shape(), std::move(next));
}

Variable language_loss(Model& model, const Ids& ids, const Ids& labels, const Reduction& reduction) {
  return language_loss(model, Batch{ids, labels}, reduction);
}

Variable language_loss(Model& model, const Batch& user, const Reduction& reduction) {
  expect(user.labels.numel() > 0, "language_loss: there are no labels for ids ", user.ids.shape(),
         "; to train on the whole text, use the ids as labels");
  return language_loss(model, model.prompt_template(user), reduction);
}

Variable language_loss(Model& model, const Templated& batch, const Reduction& reduction) {
  Past past = model.begin(batch.rows());
  const Variable x = model.hidden(batch, past);  // (B, T, D)
  const Ids shifted = next_labels(batch.labels);

  Slot<Projection>& head = model.output();
  const Projection& occupant = *head;
  const auto* plain =
      typeid(occupant) == typeid(Linear) ? dynamic_cast<const Linear*>(&occupant) : nullptr;  // not what derives from it
  if (plain && !plain->b) return linear_cross_entropy(x, plain->weight, shifted, reduction);
  return cross_entropy_by_rows(
      x, shifted, [&](const Variable& rows) { return head(rows); }, reduction);
}

}  // namespace graft
