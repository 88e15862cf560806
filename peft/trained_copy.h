// Projections and tables of which every name trains a whole copy: the heads of classifiers, and what a method is told to train
// beside its own parts (PEFT: modules_to_save).
#pragma once
#include <map>

#include "peft/method.h"
#include "peft/named.h"
#include "peft/wrapper.h"

namespace graft::peft {

struct TrainedCopy : ProjectionWrapper {
  using ProjectionWrapper::ProjectionWrapper;
  std::string method() const override { return "trained copy"; }
  std::vector<std::string> names() const override;
  void drop(const std::string& name) override { copies_.erase(name); }
  Variable operator()(const Variable& x) override;
  Tensor merged_weight(const std::string& name) const override { return copies_.at(name)->weight.value(); }
  Tensor merged_bias(const std::string& name) const override;

  struct Copy {
    Param weight;
    std::unique_ptr<Param> bias;
  };
  /// Starts with the base's numbers; or it is the weight `shared` in a second place.
  Copy& add(const std::string& name, const Param* shared = nullptr);
  Copy& copy(const std::string& name) const { return *copies_.at(name); }

 private:
  Variable apply(const std::string& name, const Variable& x);
  std::map<std::string, std::unique_ptr<Copy>> copies_;
};

/// The same of a table. A head that is tied to the table keeps the base's rows, as in PEFT.
struct TrainedTable : MergingWrapper<Table> {
  using MergingWrapper<Table>::MergingWrapper;
  std::string method() const override { return "trained copy"; }
  std::vector<std::string> names() const override { return copies_.names(); }
  void drop(const std::string& name) override { copies_.drop(name); }
  Variable operator()(const Ids& ids) override;
  Index rows() const override { return base->rows(); }
  Index dim() const override { return base->dim(); }
  Tensor dense() const override;
  std::unique_ptr<Table> plain(const std::string& name) const override;
  Param& add(const std::string& name);  ///< (rows, dim), starts with the base's numbers

 private:
  Named<Param> copies_;
};

/// The modules at these paths learn whole under `name`, and the base keeps its own: projections and tables as copies, others as
/// variants. A table and the head tied to it have a copy each (PEFT's default); with `as_one` they stay one, and both follow.
/// Errors: ValueError, which begins with `who`: no such module, or one that the method sits on already.
void learn_whole(const BaseModel& base, const std::string& name, const std::vector<std::string>& paths, bool as_one,
                 const std::string& who);

}  // namespace graft::peft
