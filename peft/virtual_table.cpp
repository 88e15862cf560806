#include "peft/virtual_table.h"

#include <algorithm>

#include "autograd/ops.h"
#include "autograd/sizes.h"

namespace graft::peft {

TrainedRows::TrainedRows(Module& owner, const std::string& name, Index count, Index dim)
    : rows(owner, {"prompt", name}, Shape{count, dim}) {}

Index VirtualTable::rows() const {
  Index end = base->rows();
  for (const auto& entry : entries) end = std::max<Index>(end, entry.second->first + entry.second->count);
  return end;
}

Variable VirtualTable::operator()(const Ids& ids) {
  const Id V = static_cast<Id>(base->rows());
  if (std::all_of(ids.begin(), ids.end(), [V](Id id) { return id < V; })) return base(ids);

  // The real tokens' rows, N of them (an unimportant one stands where a virtual token is), then the virtual rows that occur.
  const Index N = ids.numel(), D = dim();
  std::vector<Id> real_ids(ids.begin(), ids.end()), place(static_cast<std::size_t>(N));
  std::vector<Variable> more;
  Id next = static_cast<Id>(N);
  std::vector<bool> found(static_cast<std::size_t>(N));
  for (const auto& named : entries) {
    const VirtualIds& e = *named.second;
    bool occurs = false;
    for (Index i = 0; i < N; ++i) {
      if (ids[i] < e.first || ids[i] >= e.first + e.count) continue;
      nth(place, i) = next + (ids[i] - e.first);
      nth(real_ids, i) = 0;
      occurs = nth(found, i) = true;
    }
    if (!occurs) continue;
    more.push_back((*e.rows)());
    next += static_cast<Id>(e.count);
  }
  for (Index i = 0; i < N; ++i) {
    if (ids[i] < V) nth(place, i) = static_cast<Id>(i);
    expect<IndexError>(ids[i] < V || nth(found, i), "virtual tokens: there is no id ", ids[i],
                       "; the vocabulary has ", V, ", and the attached ones end at ", rows());
  }
  const Variable all = base(Ids(ids.shape(), real_ids));  // (.., D)
  const Variable y = reshape(all, {N, D});
  const Variable rows = lookup(y, more.size() == 1 ? more[0] : concat(more, 0), Ids({N}, place));
  return reshape(rows, all.shape());
}

VirtualIds& VirtualTable::add(const std::string& name, Index count, std::unique_ptr<VirtualRows> made) {
  return entries.put(name, std::unique_ptr<VirtualIds>(new VirtualIds{static_cast<Id>(rows()), count, std::move(made)}));
}

void VirtualTable::flatten(const std::string& name) {
  VirtualIds* e = entries.find(name);
  if (!e || e->rows->flat()) return;
  const NoGrad no_grad;
  auto plain = std::make_unique<TrainedRows>(*this, name, e->count, dim());
  plain->rows.learn(e->rows->learns());
  plain->rows.set((*e->rows)().value().clone());
  e->rows = std::move(plain);
}

Tensor rows_of(const BaseModel& base, const std::vector<Id>& ids) {
  const NoGrad no_grad;
  for (const Id id : ids)
    expect<IndexError>(0 <= id && id < base.model.vocabulary(), "virtual tokens: to start from the word ", id,
                       ", but the vocabulary has ", base.model.vocabulary());
  const WithSelection none(base.model, {});  // also for callers without attach()
  return base.model.table()(Ids({size_of(ids)}, ids)).value();
}

}  // namespace graft::peft
