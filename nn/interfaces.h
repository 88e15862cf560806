// The typed places of a model, where fine-tuning can sit: Projection, Table, Memory, Template (and RowMap, of which a
// Projection is the linear kind). A wrapper asks what it wraps for no more than what is declared here.
#pragma once
#include "nn/module.h"
#include "nn/past.h"

namespace graft {

/// rows -> rows: (.., in) to (.., out).
struct RowMap : Module {
  virtual Variable operator()(const Variable& x) = 0;
};

/// y = x·Wᵀ + b, however W is stored.
struct Projection : RowMap {
  virtual Index in() const = 0;
  virtual Index out() const = 0;
  virtual Tensor dense() const = 0;  ///< W (out, in) as numbers, shared or made
  virtual Tensor bias() const = 0;   ///< b (out), or empty
};

/// ids -> rows: (..) to (.., dim).
struct Table : Module {
  virtual Variable operator()(const Ids& ids) = 0;
  virtual Index rows() const = 0;
  virtual Index dim() const = 0;
  virtual Tensor dense() const = 0;  ///< (rows, dim)
};

/// What a model remembers before the first token: keys and values of every layer. By default nothing.
struct Memory : Module {
  std::string kind() const override { return "Memory"; }
  virtual Index length() const { return 0; }  ///< how many positions it takes of the context
  virtual Past operator()(Index batch) {
    (void)batch;
    return {};
  }
};

/// Ids and labels as the model gets them. lengths: real tokens per row (the rest is padding); empty when all rows are full.
struct Framed {
  Ids ids, labels;
  std::vector<Index> lengths;
};
/// From a user's ids and labels (B, T) to the model's; labels may be empty. By default the same.
/// Generating, evaluating, training and classifying pass their ids through it exactly once; model(ids) itself is raw.
struct Template : Module {
  std::string kind() const override { return "Template"; }
  virtual Framed operator()(const Framed& user) { return user; }
};

}  // namespace graft
