#include "peft/wrapper.h"

#include <algorithm>
#include <map>

#include "autograd/ops.h"
#include "nn/layers.h"

namespace graft::peft {

bool Wrapper::holds(const std::string& name) const {
  const std::vector<std::string> all = names();
  return std::find(all.begin(), all.end(), name) != all.end();
}

// --- projections ---------------------------------------------------------------------------------------------------------

Tensor ProjectionWrapper::dense() const {
  return passes(selection) || !holds(selection.one()) ? base->dense() : merged_weight(selection.one());
}
Tensor ProjectionWrapper::bias() const {
  return passes(selection) || !holds(selection.one()) ? base->bias() : merged_bias(selection.one());
}

Tensor ProjectionWrapper::merged_weight(const std::string& name) const {
  throw ValueError(text(method(), " cannot be merged: \"", name, "\" is not a linear map of x; keep it beside the base, or train ",
                        "LoRA if a merged model is needed"));
}
Tensor ProjectionWrapper::merged_bias(const std::string&) const { return base->bias(); }

std::unique_ptr<Projection> ProjectionWrapper::plain(const std::string& name) const {
  Tensor W = merged_weight(name);
  const Tensor b = merged_bias(name);
  auto linear = std::make_unique<Linear>(in(), out(), b.defined());
  linear->learn(false);
  linear->weight.set(W.alone() ? std::move(W) : W.clone());
  if (b.defined()) linear->b->set(b.clone());
  return linear;
}

// --- merging -------------------------------------------------------------------------------------------------------------

void Merging::begin_merge(const std::string& method, const std::string& name) {
  expect<ValueError>(merged_.empty(), method, ": \"", merged_, "\" is merged already; unmerge it before \"", name, "\"");
}

bool Merging::passes(const Selection& selection) const {
  if (merged_.empty()) return false;
  for (std::size_t b = 0; b < std::max<std::size_t>(selection.rows.size(), 1); ++b)
    expect<ValueError>(selection.row(b) == merged_, "\"", merged_, "\" is merged into the weights, but \"", selection.row(b),
                       "\" is selected; unmerge first");
  return true;
}

// --- rows of a batch -----------------------------------------------------------------------------------------------------

namespace {

/// Entries of the first axis, in this order.
Variable pick(const Variable& x, const std::vector<Id>& rows) {
  const Index B = x.dim(0), count = static_cast<Index>(rows.size());
  return reshape(lookup(reshape(x, {B, x.value().numel() / B}), Ids({count}, rows)), x.shape().with(0, count));
}

}  // namespace

Variable by_rows(const Selection& selection, const Rows& inputs, const Variable& y,
                 const std::function<Variable(const std::string&, const Rows&, const Variable&)>& f) {
  if (!selection.mixed()) return f(selection.one(), inputs, y);
  const std::size_t B = selection.rows.size();
  for (const Variable& x : inputs)
    expect(x.dim(0) == static_cast<Index>(B), "selection: ", B, " rows were chosen for, but the batch has ", x.dim(0));
  expect(y.dim(0) == static_cast<Index>(B), "selection: ", B, " rows were chosen for, but the batch has ", y.dim(0));

  std::map<std::string, std::vector<Id>> groups;
  for (std::size_t b = 0; b < B; ++b) groups[selection.rows[b]].push_back(static_cast<Id>(b));
  std::vector<Variable> done;
  std::vector<Id> place(B);  // of row b among those that are done
  Id next = 0;
  for (const auto& group : groups) {
    Rows mine;
    for (const Variable& x : inputs) mine.push_back(pick(x, group.second));
    done.push_back(f(group.first, mine, pick(y, group.second)));
    for (const Id b : group.second) place[static_cast<std::size_t>(b)] = next++;
  }
  return pick(concat(done, 0), place);
}

}  // namespace graft::peft
