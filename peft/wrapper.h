// Wrapper: what sits in a slot instead of its first occupant, holds that as its base, and adds the parts of one method under
// one or several names. Which name is on, or which one per row of the batch, the model's Selection says. A name that the
// wrapper does not hold is none of its business: it passes its base through.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "nn/model.h"

namespace graft::peft {

/// What all wrappers can, whatever they wrap.
struct Wrapper {
  virtual ~Wrapper() = default;
  virtual std::string method() const = 0;  ///< "LoRA"
  virtual std::vector<std::string> names() const = 0;
  virtual void drop(const std::string& name) = 0;  ///< nothing happens if there is none
  /// Drops what is needed for training only (an encoder), keeping what it computes. By default there is nothing.
  virtual void flatten(const std::string& name) { (void)name; }
  bool holds(const std::string& name) const;
  virtual bool outermost() const { return false; }  ///< wrappers that come later go below it
};

/// While it lives, the model is as this name has it.
class WithSelection {
 public:
  WithSelection(Selection& selection, const std::string& name) : selection_(selection), before_(selection) {
    selection_ = {name, {}};
  }
  ~WithSelection() { selection_ = before_; }
  WithSelection(const WithSelection&) = delete;
  WithSelection& operator=(const WithSelection&) = delete;

 private:
  Selection& selection_;
  Selection before_;
};

/// A wrapper around a Projection, Table, RowMap, Memory or Template. The inner slot has no name, so the names of what it
/// wraps stay what they were.
template <class Interface>
struct Wraps : Interface, Wrapper {
  Slot<Interface> base;
  const Selection& selection;

  Wraps(std::unique_ptr<Interface> occupant, const Selection& s) : base(*this, "", std::move(occupant)), selection(s) {}
  std::string kind() const override { return method(); }
};

/// A wrapper whose effect can be folded into what it wraps.
struct Merging {
  virtual ~Merging() = default;
  /// From now on the base is a plain W'; what was there is kept aside, untouched, and unmerge() puts it back, bit for bit.
  /// Errors: ValueError if something is merged already, or if the method is not linear in x.
  virtual void merge(const std::string& name) = 0;
  virtual void unmerge() = 0;
  virtual void keep_merged() = 0;  ///< the merged weight is the base for good; the original is let go
  virtual Tensor merged_numbers() const = 0;
  const std::string& merged() const { return merged_; }  ///< the name, or ""

 protected:
  void begin_merge(const std::string& method, const std::string& name);
  /// Is there nothing to add to the base? Errors: ValueError if another name is selected than the one that is merged.
  bool passes(const Selection& selection) const;
  std::string merged_;
};

/// Wraps with the book-keeping of Merging; a method says by plain() what the merged occupant is.
template <class Interface>
struct MergingWrapper : Wraps<Interface>, Merging {
  using Wraps<Interface>::Wraps;
  virtual std::unique_ptr<Interface> plain(const std::string& name) const = 0;

  void merge(const std::string& name) override {
    begin_merge(this->method(), name);
    std::unique_ptr<Interface> occupant = plain(name);
    original_ = this->base.take();
    this->base.put(std::move(occupant));
    merged_ = name;
  }
  void unmerge() override {
    if (merged_.empty()) return;
    this->base.put(std::move(original_));
    merged_.clear();
  }
  void keep_merged() override {
    original_.reset();
    merged_.clear();
  }
  Tensor merged_numbers() const override { return this->base->dense(); }

 private:
  std::unique_ptr<Interface> original_;
};

/// A wrapped projection is a projection.
struct ProjectionWrapper : MergingWrapper<Projection> {
  using MergingWrapper<Projection>::MergingWrapper;
  Index in() const override { return base->in(); }
  Index out() const override { return base->out(); }
  Tensor dense() const override;  ///< W as it acts under the selection. Errors: as merged_weight()
  Tensor bias() const override;
  std::unique_ptr<Projection> plain(const std::string& name) const override;

  /// W' (out, in) and b' (out, or empty) with `name` folded in. Errors: ValueError: the method is not linear in x.
  virtual Tensor merged_weight(const std::string& name) const;
  virtual Tensor merged_bias(const std::string& name) const;
};

/// The wrapper of type W in this slot, below others or made now, outside of all but those that stay outermost.
template <class W, class T>
W& wrapper_in(Slot<T>& slot, const Selection& selection) {
  Slot<T>* place = &slot;
  bool above = true;  // so far only what stays outermost
  for (Slot<T>* at = &slot; at != nullptr;) {
    if (auto* found = dynamic_cast<W*>(&**at)) return *found;
    auto* wraps = dynamic_cast<Wraps<T>*>(&**at);
    at = wraps ? &wraps->base : nullptr;
    above = above && wraps && wraps->outermost();
    if (above) place = at;
  }
  place->wrap([&] { return std::make_unique<W>(nullptr, selection); });
  return dynamic_cast<W&>(**place);
}

/// f(name, its rows of y) for the rows of each name, put back in their places: rows of a batch that use the same adapter are
/// gathered and computed as one, however many adapters there are. y, and each of `inputs`, has the batch as its first axis.
/// Errors: ShapeError if the batch is not what the selection was made for.
using Rows = std::vector<Variable>;
Variable by_rows(const Selection& selection, const Rows& inputs, const Variable& y,
                 const std::function<Variable(const std::string& name, const Rows& inputs, const Variable& y)>& f);

}  // namespace graft::peft
