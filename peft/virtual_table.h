// Virtual tokens are rows V, V + 1, ... of the vocabulary: a table that holds their rows. The head keeps V rows, so none is ever
// predicted. Prompt tuning and P-tuning v1 share it; they differ in where the rows come from, and where a template
// (prompt_template.h) puts their ids.
#pragma once
#include "peft/method.h"
#include "peft/wrapper.h"

namespace graft::peft {

/// Where the rows of one name come from: a parameter, or an encoder.
struct VirtualRows {
  virtual ~VirtualRows() = default;
  virtual Variable operator()() const = 0;  ///< (P, D)
  virtual bool flat() const { return true; }
  virtual bool learns() const { return false; }
};
struct TrainedRows : VirtualRows {
  Param rows;
  TrainedRows(Module& owner, const std::string& name, Index count, Index dim);
  Variable operator()() const override { return rows; }
  bool learns() const override { return rows.learns(); }
};

/// The virtual tokens of one name.
struct VirtualIds {
  Id first;  ///< the id of the first of them
  Index count;
  std::unique_ptr<VirtualRows> rows;
};

/// ids < V: the base's rows; an id beyond: the row of a name's virtual token. Computed only where one occurs.
struct VirtualTable : NamedWrapper<Table, VirtualIds> {
  using NamedWrapper::NamedWrapper;
  std::string method() const override { return "virtual tokens"; }
  void flatten(const std::string& name) override;  ///< the encoder goes, its rows stay
  /// Errors: IndexError for an unknown id.
  Variable operator()(const Ids& ids) override;
  Index rows() const override;
  Index dim() const override { return base->dim(); }
  Tensor dense() const override { return base->dense(); }
  bool outermost() const override { return true; }  ///< other wrappers of the table know ids < V only

  VirtualIds& add(const std::string& name, Index count, std::unique_ptr<VirtualRows> rows);
};

/// Rows of the base's table for these ids, whatever is selected. Errors: IndexError
Tensor rows_of(const BaseModel& base, const std::vector<Id>& ids);

}  // namespace graft::peft
