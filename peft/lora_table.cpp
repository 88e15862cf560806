#include "peft/lora_table.h"

#include <algorithm>
#include <cmath>

#include "autograd/kernels.h"
#include "autograd/ops.h"
#include "nn/layers.h"
#include "peft/dora.h"

namespace graft::peft {

Variable LoraTable::look_up(const LoraTablePair& p, const Ids& ids) const { return p.scale * lookup(p.A, ids); }

Variable LoraTable::row(const LoraTablePair& p, const Variable& y, const Variable& looked_up) const {
  const Variable moved = y + linear(looked_up, p.B);
  if (!p.magnitude) return moved;
  return moved * (p.magnitude->variable() / Variable(column_norms(direction(p))));  // the norm is a constant: dora.h
}

Tensor LoraTable::direction(const LoraTablePair& p) const {
  return kernel::binary(kernel::Binary::add, below(base, selection).dense(),
                        kernel::scale(kernel::multiply_nt(p.A.value(), p.B.value()), p.scale));
}

Tensor LoraTable::merged_table(const LoraTablePair& p) const {
  const Tensor E = direction(p);
  return p.magnitude ? kernel::binary(kernel::Binary::mul, E,
                                      kernel::binary(kernel::Binary::div, p.magnitude->value(), column_norms(E)))
                     : E;
}

void LoraTable::add(const std::string& name, Index r, real scale, bool dora, Rng& rng) {
  expect<ValueError>(r > 0, "LoRA: a rank of ", r, "; it must be at least 1");
  expect<ValueError>(std::isfinite(scale), "LoRA: alpha gives a scale of ", scale, "; a finite number is needed");
  std::unique_ptr<LoraTablePair> pair(new LoraTablePair{
      Param(*this, {"lora_A", name}, Shape{rows(), r}), Param(*this, {"lora_B", name}, Shape{dim(), r}), scale, {}});
  pair->A.set(Tensor(pair->A.shape(), 0));
  pair->B.set(normal(pair->B.shape(), 0, 1, rng));
  if (dora) {
    pair->magnitude.emplace(*this, PartName("magnitude", name), Shape{dim()});
    pair->magnitude->set(column_norms(direction(*pair)));
  }
  entries.put(name, std::move(pair));
}

bool is_table(const BaseModel& base, const std::string& target) {
  for (const auto& slot : base.root.slots<Projection>())
    if (matches(slot.first, target)) return false;
  for (const auto& slot : base.root.slots<Table>())
    if (matches(slot.first, target)) return true;
  return false;
}

}  // namespace graft::peft
