#include "peft/trained_copy.h"

#include <algorithm>

#include "autograd/ops.h"
#include "nn/layers.h"
#include "nn/names.h"

namespace graft::peft {

Variable TrainedCopy::operator()(const Variable& x) {
  if (passes(selection)) return base(x);
  const auto apply = [&](const std::string& name, const Rows&, const Variable& rows) {
    const Copy* copy = entries.find(name);
    if (!copy) return base(rows);
    return copy->bias ? linear(rows, copy->weight, *copy->bias) : linear(rows, copy->weight);
  };
  return by_rows(selection, {}, x, apply);  // the base computes the rows that have no copy
}

Copy& TrainedCopy::add(const std::string& name, const Param* shared) {
  const Tensor b = base->bias();
  std::unique_ptr<Copy> copy(
      new Copy{shared ? Param(*this, {"weight", name}, *shared) : Param(*this, {"weight", name}, Shape{out(), in()}), nullptr});
  if (!shared) copy->weight.set(base->dense().clone());
  if (b.defined()) {
    copy->bias = std::make_unique<Param>(*this, PartName("bias", name), Shape{out()});
    copy->bias->set(b.clone());
  }
  return entries.put(name, std::move(copy));
}

// --- tables --------------------------------------------------------------------------------------------------------------

Param& TrainedTable::add(const std::string& name) {
  auto copy = std::make_unique<Param>(*this, PartName("weight", name), Shape{rows(), dim()});
  copy->set(base->dense().clone());
  return entries.put(name, std::move(copy));
}

// --- modules trained in full ---------------------------------------------------------------------------------------------

namespace {

template <class T>
Slot<T>* slot_at(const BaseModel& base, const std::string& path) {
  for (const auto& slot : base.root.slots<T>())
    if (slot.first == path && !slot.second->empty()) return slot.second;
  return nullptr;
}

template <class T>
void expect_untouched(Slot<T>& slot, const std::string& name, const std::string& path, const std::string& who) {
  for (Slot<T>* at = &slot; at != nullptr;) {
    auto* wraps = dynamic_cast<Wraps<T>*>(&**at);
    expect<ValueError>(!wraps || !wraps->holds(name), who, ": \"", path,
                       "\" is a target and is also to be trained in full; choose one of the two");
    at = wraps ? &wraps->base : nullptr;
  }
}

}  // namespace

void learn_whole(const BaseModel& base, const std::string& name, const std::vector<std::string>& paths, bool as_one,
                 const std::string& who) {
  Slot<Table>& table = base.model.table();
  Slot<Projection>& head = base.model.output();
  const WithSelection none(base.model, {});  // copies start as the base is, whatever is on now
  const bool one = as_one && is_tied(base.model);
  bool both = false;  // the table and its head are done
  for (const std::string& path : paths) {
    Slot<Table>* const rows = slot_at<Table>(base, path);
    Slot<Projection>* const map = slot_at<Projection>(base, path);
    if (rows) expect_untouched(*rows, name, path, who);
    if (map) expect_untouched(*map, name, path, who);
    const auto mine = [&](const std::string& parameter) { return parameter.substr(0, parameter.rfind('.')) == path; };
    if (one && (rows == &table || map == &head)) {
      if (!both && vary(base, name, [](const std::string& parameter) { return parameter == "embed.weight"; }) == 0) {
        Param& copy = wrapper_in<TrainedTable>(table, base.model.selection()).add(name);  // a packed table has no parameter
        wrapper_in<TrainedCopy>(head, base.model.selection()).add(name, &copy);
      }
      both = true;
    } else if (map) {
      wrapper_in<TrainedCopy>(*map, base.model.selection()).add(name);
    } else if (rows) {
      wrapper_in<TrainedTable>(*rows, base.model.selection()).add(name);
    } else {
      expect<ValueError>(vary(base, name, mine) > 0, who, ": there is no module \"", path,
                         "\" with parameters that could be trained; tree() shows the paths");
    }
  }
}

}  // namespace graft::peft
