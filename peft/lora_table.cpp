#include "peft/lora_table.h"

#include <algorithm>
#include <cmath>

#include "autograd/kernels.h"
#include "autograd/ops.h"
#include "nn/layers.h"
#include "peft/dora.h"

namespace graft::peft {

std::vector<std::string> LoraTable::names() const {
  std::vector<std::string> all;
  for (const auto& pair : pairs_) all.push_back(pair.first);
  return all;
}

Tensor LoraTable::direction(const Pair& p) const {
  return kernel::binary(kernel::Binary::add, below(base, selection).dense(),
                        kernel::scale(kernel::multiply_nt(p.A.value(), p.B.value()), p.scale));
}

Tensor LoraTable::changed(const Pair& p) const {
  const Tensor E = direction(p);
  return p.magnitude ? kernel::binary(kernel::Binary::mul, E,
                                      kernel::binary(kernel::Binary::div, p.magnitude->value(), column_norms(E)))
                     : E;
}

Variable LoraTable::added(const Pair& p, const Variable& y, const Variable& low) const {
  const Variable moved = y + linear(low, p.B);
  if (!p.magnitude) return moved;
  return moved * (p.magnitude->variable() / Variable(column_norms(direction(p))));  // the norm is a constant: dora.h
}

/// E[ids] + s·A[ids]·Bᵀ
Variable LoraTable::operator()(const Ids& ids) {
  const Variable y = base(ids);
  if (passes(selection)) return y;
  if (!selection.mixed()) {
    const auto found = pairs_.find(selection.one());
    if (found == pairs_.end()) return y;
    const Pair& p = *found->second;
    return added(p, y, p.scale * lookup(p.A, ids));
  }
  Rows low;  // one lookup per name over the whole batch; by_rows keeps the rows that are its own
  std::vector<std::string> order;
  for (const auto& pair : pairs_) {
    low.push_back(pair.second->scale * lookup(pair.second->A, ids));
    order.push_back(pair.first);
  }
  return by_rows(selection, low, y, [&](const std::string& name, const Rows& rows, const Variable& mine) {
    const auto at = std::find(order.begin(), order.end(), name);
    if (at == order.end()) return mine;
    return added(pair(name), mine, rows[static_cast<std::size_t>(at - order.begin())]);
  });
}

Tensor LoraTable::dense() const {
  const auto found = pairs_.find(selection.one());
  if (passes(selection) || found == pairs_.end()) return base->dense();
  return changed(*found->second);
}

std::unique_ptr<Table> LoraTable::plain(const std::string& name) const {
  auto table = std::make_unique<Embedding>(rows(), dim());
  table->learn(false);
  table->weight.set(changed(pair(name)));
  return table;
}

void LoraTable::add(const std::string& name, Index r, real scale, bool dora, Rng& rng) {
  expect<ValueError>(r > 0, "LoRA: a rank of ", r, "; it must be at least 1");
  expect<ValueError>(std::isfinite(scale), "LoRA: alpha gives a scale of ", scale, "; a finite number is needed");
  std::unique_ptr<Pair> pair(
      new Pair{Param(*this, "lora_A." + name, {rows(), r}), Param(*this, "lora_B." + name, {dim(), r}), scale, {}});
  pair->A.set(Tensor(pair->A.shape(), 0));
  pair->B.set(normal(pair->B.shape(), 0, 1, rng));
  if (dora) {
    pair->magnitude.emplace(*this, "magnitude." + name, Shape{dim()});
    pair->magnitude->set(column_norms(direction(*pair)));
  }
  pairs_[name] = std::move(pair);
}

bool is_table(const BaseModel& base, const std::string& target) {
  for (const auto& slot : base.root.slots<Projection>())
    if (matches(slot.first, target)) return false;
  for (const auto& slot : base.root.slots<Table>())
    if (matches(slot.first, target)) return true;
  return false;
}

}  // namespace graft::peft
