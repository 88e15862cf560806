// The typed places of a model, where fine-tuning methods attach: Projection, Table, Memory, Template (and RowMap, of which a
// Projection is the linear kind). A wrapper uses nothing of what it wraps but what is declared here.
#pragma once
#include "nn/batch.h"
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

/// What stands around a user's tokens: a Batch becomes Templated. By default nothing does.
struct Template : Module {
  std::string kind() const override { return "Template"; }
  Templated operator()(const Batch& user);  ///< Errors: ShapeError, as Batch::check()

 protected:
  /// The rows with all that is put into them, what was put in unlabelled. A row's answer stays last, since
  /// generated tokens continue it.
  virtual Batch filled(const Batch& user) { return user; }
  static Batch filled_by(Template& inner, const Batch& user) { return inner.filled(user); }  ///< for a wrapper, by its base
};

}  // namespace graft
