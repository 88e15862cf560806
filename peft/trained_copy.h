// Projections and tables that each name trains a full copy of: the heads of classifiers, and what a method also trains
// besides its own parts (PEFT: modules_to_save).
#pragma once
#include "peft/method.h"
#include "peft/wrapper.h"

namespace graft::peft {

/// A weight of one name's own, and its bias if the base has one.
struct Copy {
  Param weight;
  std::unique_ptr<Param> bias;
};

struct TrainedCopy : ProjectionWrapper<Copy> {
  using ProjectionWrapper::ProjectionWrapper;
  std::string method() const override { return "trained copy"; }
  Variable operator()(const Variable& x) override;
  Tensor merged_weight(const Copy& copy) const override { return copy.weight.value(); }
  Tensor merged_bias(const Copy& copy) const override { return copy.bias ? copy.bias->value() : Tensor(); }

  /// Starts with the base's numbers; or it is the weight `shared` in a second place.
  Copy& add(const std::string& name, const Param* shared = nullptr);
};

/// The same of a table. A head that is tied to the table keeps the base's rows, as in PEFT.
struct TrainedTable : TableWrapper<Param> {
  using TableWrapper::TableWrapper;
  std::string method() const override { return "trained copy"; }
  Variable look_up(const Param& copy, const Ids& ids) const override { return lookup(copy, ids); }
  Variable row(const Param&, const Variable&, const Variable& looked_up) const override { return looked_up; }
  Tensor merged_table(const Param& copy) const override { return copy.value(); }
  Param& add(const std::string& name);  ///< (rows, dim), starts with the base's numbers
};

/// Trains the modules at these paths in full under `name`; the base keeps its own: projections and tables as copies, others as
/// variants. A table and the head tied to it have a copy each (PEFT's default); with `as_one` they stay one, and both follow.
/// Errors: ValueError, which begins with `who`: no such module, or one that the method sits on already.
void learn_whole(const BaseModel& base, const std::string& name, const std::vector<std::string>& paths, bool as_one,
                 const std::string& who);

}  // namespace graft::peft
