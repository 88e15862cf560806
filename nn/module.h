// Module, Param, Slot, List: a model is a tree of modules, and declaring a member registers it:
//     Slot<Projection> q{*this, "q", std::make_unique<Linear>(D, D)};      // its weight is now called "….q.weight"
// What sits in a slot can be taken out, wrapped and put back; that is all that fine-tuning methods need.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "autograd/packed.h"
#include "autograd/rng.h"
#include "autograd/sizes.h"
#include "autograd/variable.h"
#include "nn/selection.h"

namespace graft {

class Module;

/// What a part is called, "weight"; and which variant of the model it belongs to: {"weight", "mine"} is "weight.mine".
struct PartName {
  std::string word, variant;
  PartName(const char* w) : word(w) {}
  PartName(std::string w) : word(std::move(w)) {}
  PartName(std::string w, std::string v) : word(std::move(w)), variant(std::move(v)) {}
};

/// A named member of a module. An empty name adds nothing to a path: the inner slot of a wrapper has one, so that the names
/// of what it wraps stay what they were.
class Part {
 public:
  Part(Module& owner, PartName name);
  virtual ~Part();
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;

  const std::string& name() const { return name_; }             ///< "weight.mine"
  const std::string& word() const { return what_.word; }        ///< "weight"
  const std::string& variant() const { return what_.variant; }  ///< "mine"; "": that of the part containing its owner
  Module& owner() const { return *owner_; }
  /// The modules below this part with their names below it; none for a parameter.
  virtual std::vector<std::pair<std::string, Module*>> children() const { return {}; }

 private:
  Module* owner_;
  PartName what_;
  std::string name_;
};

/// A parameter: a shape from the start, numbers once it is given some. It is trainable by default.
class Param : public Part {
 public:
  Param(Module& owner, PartName name, Shape shape);
  /// The same parameter in a second place (tied weights): one set of numbers, one gradient, counted once.
  Param(Module& owner, PartName name, const Param& other);

  const Shape& shape() const { return cell_->shape; }
  bool initialized() const { return cell_->variable.defined(); }
  /// Later numbers replace earlier ones for all readers of the parameter; a Variable copied from it before keeps the old ones.
  /// Errors: ShapeError
  void set(Tensor numbers);
  /// Errors: ValueError if it is not initialized yet.
  operator const Variable&() const { return variable(); }
  const Variable& variable() const;
  const Tensor& value() const { return variable().value(); }
  Index numel() const { return shape().numel(); }

  bool learns() const { return cell_->learns; }
  void learn(bool on);
  bool same(const Param& other) const { return cell_ == other.cell_; }  ///< shared
  const void* identity() const { return cell_.get(); }
  /// For long-lived references: expires when it is taken out of the model.
  std::weak_ptr<Param> watch() { return self_; }

  /// A variant: while `selection` names it, variable() and value() are these numbers, here and wherever the parameter is
  /// shared. A trainable one is a parameter of its own, called "weight.NAME"; the others are in no list.
  /// Errors: ShapeError; ValueError if there is one of that name. variable() throws ValueError when rows of a batch differ.
  void vary(const Selection& selection, const std::string& variant, Tensor numbers, bool learns = true);
  bool varies(const std::string& variant) const { return cell_->variants.count(variant) != 0; }
  std::vector<std::string> variants() const;
  const Variable& own() const;                    ///< without variants. Errors: as variable()
  void drop_variant(const std::string& variant);  ///< does nothing if there is none
  void keep_variant(const std::string& variant);  ///< its numbers become the parameter's own

 private:
  struct Cell {
    Shape shape;
    Variable variable;
    bool learns = true;
    std::map<std::string, std::shared_ptr<Cell>> variants;
    const Selection* selection = nullptr;
  };
  const Cell& chosen() const;
  std::shared_ptr<Cell> cell_;
  std::shared_ptr<Param> self_{this, [](Param*) {}};  // owns nothing: only for weak references
  std::map<std::string, std::unique_ptr<Param>> shown_;  // the variants made here that are trainable
};

/// A packed weight as a member: shown and counted like a parameter, never trained.
class PackedPart : public Part {
 public:
  PackedPart(Module& owner, PartName name, Packed weight) : Part(owner, std::move(name)), weight_(std::move(weight)) {}
  operator const Packed&() const { return weight_; }
  const PackedMatrix& operator*() const { return *weight_; }
  const PackedMatrix* operator->() const { return weight_.get(); }

 private:
  Packed weight_;
};

template <class T>
class Slot;

class Module {
 public:
  Module() = default;
  virtual ~Module() = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  virtual std::string kind() const = 0;  ///< for the printed tree: "Linear 768 -> 3072"

  const std::vector<Part*>& parts() const { return parts_; }
  /// visit(path, part) for all parts below, in order of declaration, a part before what is in it.
  using Visit = std::function<void(const std::string& path, Part& part)>;
  void each(const Visit& visit, const std::string& path = {}) const;

  /// Every parameter once, with the path of its first place.
  std::vector<std::pair<std::string, Param*>> parameters() const;
  /// Errors: IndexError lists the paths that resemble it most.
  Param& parameter(const std::string& path) const;
  /// Every slot for a T, with its path; of nested wrappers only the outer.
  template <class T>
  std::vector<std::pair<std::string, Slot<T>*>> slots() const;

  void learn(bool on) const;         ///< all parameters below
  Index count(bool learning) const;  ///< numbers in trainable parameters, or in all weights, packed ones included
  /// Training mode of all modules below: dropout draws from rng; null is evaluation. Does not change what is trainable.
  void training(Rng* rng);
  Rng* randomness() const { return randomness_; }

  std::string tree() const;  ///< the modules below with shapes, counts, bytes; frozen or trainable

 private:
  friend class Part;
  std::vector<Part*> parts_;
  Rng* randomness_ = nullptr;
};

namespace detail {
[[noreturn]] void empty_slot(const std::string& name);
}

/// While it exists, modules below m are in evaluation mode.
class Evaluating {
 public:
  explicit Evaluating(Module& m) : module_(m), before_(m.randomness()) { module_.training(nullptr); }
  ~Evaluating() { module_.training(before_); }
  Evaluating(const Evaluating&) = delete;
  Evaluating& operator=(const Evaluating&) = delete;

 private:
  Module& module_;
  Rng* before_;
};

/// A place for a T. Owns what sits there.
template <class T>
class Slot : public Part {
 public:
  Slot(Module& owner, PartName name, std::unique_ptr<T> occupant = nullptr)
      : Part(owner, std::move(name)),
        occupant_(std::move(occupant)) {}

  bool empty() const { return occupant_ == nullptr; }
  /// Errors: ValueError if nothing sits there.
  T& operator*() const {
    if (!occupant_) detail::empty_slot(name());
    return *occupant_;
  }
  T* operator->() const { return &**this; }
  template <class... Arguments>
  auto operator()(Arguments&&... arguments) const {
    return (**this)(std::forward<Arguments>(arguments)...);
  }

  std::unique_ptr<T> take() { return std::move(occupant_); }
  void put(std::unique_ptr<T> occupant) {
    occupant_ = std::move(occupant);
    if (occupant_ && owner().randomness() != occupant_->randomness()) occupant_->training(owner().randomness());
  }
  /// Moves the occupant into the slot `base` of a wrapper that takes its place:
  ///     slot.wrap([] { return std::make_unique<W>(); })
  /// The wrapper is made first, so an error in make() changes nothing.
  template <class Make>
  void wrap(const Make& make) {
    auto wrapper = make();
    wrapper->base.put(take());
    put(std::move(wrapper));
  }

  std::vector<std::pair<std::string, Module*>> children() const override {
    if (!occupant_) return {};
    return {{"", occupant_.get()}};
  }

 private:
  std::unique_ptr<T> occupant_;
};

/// Modules of one kind, called 0, 1, 2, ...
template <class T>
class List : public Part {
 public:
  using Part::Part;
  void add(std::unique_ptr<T> module) { all_.push_back(std::move(module)); }
  Index size() const { return size_of(all_); }
  T& operator[](Index i) const { return *nth(all_, i); }
  std::vector<std::pair<std::string, Module*>> children() const override {
    std::vector<std::pair<std::string, Module*>> named;
    for (std::size_t i = 0; i < all_.size(); ++i) named.emplace_back(std::to_string(i), all_[i].get());
    return named;
  }

 private:
  std::vector<std::unique_ptr<T>> all_;
};

template <class T>
std::vector<std::pair<std::string, Slot<T>*>> Module::slots() const {
  std::vector<std::pair<std::string, Slot<T>*>> found;
  each([&](const std::string& path, Part& part) {
    if (part.name().empty()) return;
    if (auto* slot = dynamic_cast<Slot<T>*>(&part)) found.emplace_back(path, slot);
  });
  return found;
}

}  // namespace graft
