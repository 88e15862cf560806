// Wrapper: replaces the first occupant of a slot, holds that as its base, and adds the parts of one method under
// one or several names. The model's Selection says which name is on, or which one per row of the batch. For a name that the
// wrapper does not hold, it passes its base through.
//     struct LoraLinear : ProjectionWrapper<LoraPair> { .. };    // a method's own says its formula, and how it is merged
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "nn/model.h"
#include "peft/named.h"

namespace graft::peft {

/// What all wrappers can do, whatever they wrap.
struct Wrapper {
  virtual ~Wrapper() = default;
  virtual std::string method() const = 0;  ///< "LoRA"
  virtual std::vector<std::string> names() const = 0;
  virtual bool holds(const std::string& name) const = 0;
  virtual void drop(const std::string& name) = 0;  ///< does nothing if there is none
  /// Drops what is needed for training only (an encoder), keeping what it computes. By default nothing.
  virtual void flatten(const std::string& name) { (void)name; }
  virtual bool outermost() const { return false; }  ///< wrappers that come later go below it

  /// From now on the base is a plain W'; what was there is kept aside, untouched, and unmerge() puts it back, bit for bit.
  /// Errors: ValueError if something is merged already, or if the method cannot be merged.
  virtual void merge(const std::string& name) = 0;
  virtual void unmerge() = 0;
  virtual void keep_merged() = 0;           ///< the merged weight is the base for good; the original is released
  virtual Module& wrapped() const = 0;      ///< what is in the base now
  const std::string& merged() const { return merged_; }  ///< the name, or ""

 protected:
  void expect_not_merged(const std::string& name) const;
  ValueError cannot_be_merged(const std::string& name) const;
  /// Is there nothing to add to the base? Errors: ValueError if another name is selected than the one that is merged.
  bool passes(const Selection& selection) const;
  std::string merged_;
};

/// A wrapper around a Projection, Table, RowMap, Memory or Template. The inner slot has no name, so the names of what it
/// wraps stay what they were.
template <class Interface>
struct Wraps : Interface, Wrapper {
  using Wrapped = Interface;
  Slot<Interface> base{*this, ""};
  const Selection& selection;

  explicit Wraps(const Selection& s) : selection(s) {}
  std::string kind() const override { return method(); }

  /// What computes with `name` in its weights, in the place of the base. Errors: ValueError where the method cannot be merged,
  /// which is the default.
  virtual std::unique_ptr<Interface> plain(const std::string& name) const { throw cannot_be_merged(name); }
  void merge(const std::string& name) final {
    expect_not_merged(name);
    std::unique_ptr<Interface> occupant = plain(name);
    original_ = base.take();
    base.put(std::move(occupant));
    merged_ = name;
  }
  void unmerge() final {
    if (merged_.empty()) return;
    base.put(std::move(original_));
    merged_.clear();
  }
  void keep_merged() final {
    original_.reset();
    merged_.clear();
  }
  Module& wrapped() const final { return *base; }

 private:
  std::unique_ptr<Interface> original_;
};

/// f(name, its rows of y) for the rows of each name, put back in their places: rows of a batch that use the same adapter are
/// gathered and computed as one, however many adapters there are. y, and each of `inputs`, has the batch as its first axis.
/// Errors: ShapeError if the batch is not what the selection was made for.
using Rows = std::vector<Variable>;
Variable by_rows(const Selection& selection, const Rows& inputs, const Variable& y,
                 const std::function<Variable(const std::string& name, const Rows& inputs, const Variable& y)>& f);

/// Dropout of an input that several projections read: q, k and v of one module draw one mask.
struct SharedDropout {
  real rate = 0;
  std::shared_ptr<Rng> state = std::make_shared<Rng>();  ///< what all of them draw the mask from
  bool first = true;                                     ///< this one renews the state

  SharedDropout beside() const { return {rate, state, false}; }   ///< for the next projection of the same input
  Variable operator()(const Variable& x, Rng* randomness) const;  ///< randomness: null outside of training
};

/// A wrapper with one Entry for each name.
template <class Interface, class Entry>
struct NamedWrapper : Wraps<Interface> {
  using Wraps<Interface>::Wraps;
  Named<Entry> entries;

  std::vector<std::string> names() const final { return entries.names(); }
  bool holds(const std::string& name) const final { return entries.find(name) != nullptr; }
  void drop(const std::string& name) final { entries.drop(name); }
  Entry& entry(const std::string& name) const { return entries.at(name); }  ///< Errors: ValueError

  /// y; and where a name is selected that is held here, f(its entry, its rows of the inputs, its rows of y).
  template <class F>
  Variable by_entry(const Rows& inputs, const Variable& y, const F& f) const {
    if (this->passes(this->selection)) return y;
    return by_rows(this->selection, inputs, y, [&](const std::string& name, const Rows& rows, const Variable& mine) {
      const Entry* found = entries.find(name);
      return found ? f(*found, rows, mine) : mine;
    });
  }

 protected:
  /// The entry that is on for all rows and not merged, or null.
  const Entry* chosen() const { return this->passes(this->selection) ? nullptr : entries.find(this->selection.one()); }
};

std::unique_ptr<Projection> plain_projection(Tensor W, const Tensor& b);  ///< frozen; b may be empty
std::unique_ptr<Table> plain_table(Tensor rows);

/// A wrapped projection is a projection. A method overrides operator(), and, if it is linear in x, what it merges to.
template <class Entry>
struct ProjectionWrapper : NamedWrapper<Projection, Entry> {
  using NamedWrapper<Projection, Entry>::NamedWrapper;
  Index in() const final { return this->base->in(); }
  Index out() const final { return this->base->out(); }
  Tensor dense() const final {  ///< W as it acts under the selection. Errors: as merged_weight()
    const Entry* on = this->chosen();
    return on ? merged_weight(*on) : this->base->dense();
  }
  Tensor bias() const final {
    const Entry* on = this->chosen();
    return on ? merged_bias(*on) : this->base->bias();
  }
  std::unique_ptr<Projection> plain(const std::string& name) const final {
    return plain_projection(merged_weight(this->entry(name)), merged_bias(this->entry(name)));
  }

  /// ΔW = W' - W (out, in): what the name changes, whether it is selected or not. Errors: ValueError, as entry() and merged_weight()
  Tensor delta(const std::string& name = "default") const {
    return (merged_weight(this->entry(name)) - this->base->dense()).value();
  }

  /// W' (out, in) and b' (out, or empty) with the entry in them. Errors: ValueError: the method is not linear in x.
  virtual Tensor merged_weight(const Entry&) const { throw this->cannot_be_merged(this->selection.one()); }
  virtual Tensor merged_bias(const Entry&) const { return this->base->bias(); }
};

/// A wrapped table is a table. A method defines what an entry adds to rows, from its own numbers that it looks up.
template <class Entry>
struct TableWrapper : NamedWrapper<Table, Entry> {
  using NamedWrapper<Table, Entry>::NamedWrapper;
  Index rows() const final { return this->base->rows(); }
  Index dim() const final { return this->base->dim(); }
  Tensor dense() const final {
    const Entry* on = this->chosen();
    return on ? merged_table(*on) : this->base->dense();
  }
  std::unique_ptr<Table> plain(const std::string& name) const final { return plain_table(merged_table(this->entry(name))); }

  Variable operator()(const Ids& ids) final {
    const Variable y = this->base(ids);
    if (this->passes(this->selection)) return y;
    if (!this->selection.mixed()) {
      const Entry* on = this->chosen();
      return on ? row(*on, y, look_up(*on, ids)) : y;
    }
    Rows own;  // one look-up per name over the whole batch; by_rows keeps the rows that are its own
    std::vector<const Entry*> order;
    for (const auto& named : this->entries) own.push_back(look_up(*named.second, ids)), order.push_back(named.second.get());
    return this->by_entry(own, y, [&](const Entry& entry, const Rows& rows, const Variable& mine) {
      std::size_t at = 0;
      while (order[at] != &entry) ++at;
      return row(entry, mine, rows[at]);
    });
  }

  virtual Variable look_up(const Entry& entry, const Ids& ids) const = 0;                           ///< (.., any)
  virtual Variable row(const Entry& entry, const Variable& y, const Variable& looked_up) const = 0;  ///< (.., dim), y the base's
  virtual Tensor merged_table(const Entry& entry) const = 0;                                        ///< (rows, dim)
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
  place->wrap([&] { return std::make_unique<W>(selection); });
  return dynamic_cast<W&>(**place);
}

}  // namespace graft::peft
