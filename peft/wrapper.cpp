#include "peft/wrapper.h"

#include <algorithm>
#include <map>

#include "autograd/ops.h"
#include "autograd/sizes.h"
#include "nn/layers.h"

namespace graft::peft {

// --- merging -------------------------------------------------------------------------------------------------------------

void Wrapper::expect_not_merged(const std::string& name) const {
  expect<ValueError>(merged_.empty(), method(), ": \"", merged_, "\" is merged already; unmerge it before \"", name, "\"");
}

ValueError Wrapper::cannot_be_merged(const std::string& name) const {
  return ValueError(text(method(), " cannot be merged: \"", name, "\" is not a linear map of x; keep it beside the base, or train ",
                         "LoRA if a merged model is needed"));
}

bool Wrapper::passes(const Selection& selection) const {
  if (merged_.empty()) return false;
  for (std::size_t b = 0; b < std::max<std::size_t>(selection.rows().size(), 1); ++b)
    expect<ValueError>(selection.row(b) == merged_, "\"", merged_, "\" is merged into the weights, but \"", selection.row(b),
                       "\" is selected; unmerge first");
  return true;
}

std::unique_ptr<Projection> plain_projection(Tensor W, const Tensor& b) {
  auto linear = std::make_unique<Linear>(W.cols(), W.rows(), b.defined());
  linear->learn(false);
  linear->weight.set(W.alone() ? std::move(W) : W.clone());
  if (b.defined()) linear->b->set(b.clone());
  return linear;
}

std::unique_ptr<Table> plain_table(Tensor rows) {
  auto table = std::make_unique<Embedding>(rows.rows(), rows.cols());
  table->learn(false);
  table->weight.set(rows.alone() ? std::move(rows) : rows.clone());
  return table;
}

// --- dropout -------------------------------------------------------------------------------------------------------------

Variable SharedDropout::operator()(const Variable& x, Rng* randomness) const {
  if (!randomness || rate == 0) return x;
  if (first) *state = randomness->split();
  Rng same = *state;
  return dropout(x, rate, same);
}

// --- rows of a batch -----------------------------------------------------------------------------------------------------

namespace {

/// Entries of the first axis, in this order.
Variable pick(const Variable& x, const std::vector<Id>& rows) {
  const Index B = x.dim(0), count = size_of(rows);
  return reshape(lookup(reshape(x, {B, x.value().numel() / B}), Ids({count}, rows)), x.shape().with(0, count));
}

}  // namespace

Variable by_rows(const Selection& selection, const Rows& inputs, const Variable& y,
                 const std::function<Variable(const std::string&, const Rows&, const Variable&)>& f) {
  if (!selection.mixed()) return f(selection.one(), inputs, y);
  const std::size_t B = selection.rows().size();
  for (const Variable& x : inputs)
    expect(x.dim(0) == static_cast<Index>(B), "selection: ", B, " rows were selected, but the batch has ", x.dim(0));
  expect(y.dim(0) == static_cast<Index>(B), "selection: ", B, " rows were selected, but the batch has ", y.dim(0));

  std::map<std::string, std::vector<Id>> groups;
  for (std::size_t b = 0; b < B; ++b) groups[selection.rows()[b]].push_back(static_cast<Id>(b));
  std::vector<Variable> done;
  std::vector<Id> place(B);  // of row b among those that are done
  Id next = 0;
  for (const auto& group : groups) {
    Rows mine;
    for (const Variable& x : inputs) mine.push_back(pick(x, group.second));
    done.push_back(f(group.first, mine, pick(y, group.second)));
    for (const Id b : group.second) nth(place, b) = next++;
  }
  return pick(concat(done, 0), place);
}

}  // namespace graft::peft
