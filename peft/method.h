// attach(), detach(), merge(): a method is attached to a frozen base under a name, and removed again without a trace.
//     peft::Lora lora;  lora.r = 4;
//     const peft::Attached a = peft::attach(model, lora, rng);      // the base is frozen, lora_A and lora_B are trained
// PEFT = what sits in which slot, and what is frozen. Freezing happens only here.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "nn/classifier.h"
#include "nn/load.h"
#include "nn/model.h"
#include "nn/token_classifier.h"

namespace graft::peft {

/// What a method is attached to: a language model, or one with a classification head, of sequences or of tokens (which every
/// method trains as well).
struct BaseModel {
  Module& root;
  Model& model;
  Slot<Projection>* score = nullptr;

  BaseModel(Model& m) : root(m), model(m) {}
  BaseModel(Classifier& c) : root(c), model(*c.model), score(&c.score) {}
  BaseModel(TokenClassifier& c) : root(c), model(*c.model), score(&c.classifier) {}
  BaseModel(const Loaded& l)
      : root(*l.root),
        model(*l.model),
        score(l.classifier         ? &l.classifier->score
              : l.token_classifier ? &l.token_classifier->classifier
                                   : nullptr) {}
};

struct MethodRow;  ///< registry.h

/// Parameters and the factor on their learning rate.
struct RateGroup {
  std::vector<Param*> parameters;
  real factor;
};

/// A method with its options. How one is added: docs/add-a-method.md
struct Method {
  virtual ~Method() = default;
  virtual std::string kind() const = 0;  ///< "LoRA"
  /// Puts itself into the slots under `name`, while the base is selected and all of it is frozen. Parameters made now learn,
  /// and each names its adapter, {"lora_A", name}: by that it is found, saved and removed. Constant numbers are kept as
  /// a Tensor or Variable, not as a Param. After an exception attach() undoes all of it.
  virtual void graft(const BaseModel& base, const std::string& name, Rng& rng) const = 0;
  virtual bool in_place() const { return false; }  ///< does it change the base itself? (full fine-tuning)
  /// Those of its parameters that have a faster or slower rate than the rest (LoRA+).
  virtual std::vector<RateGroup> rates(const BaseModel& base, const std::string& name) const;
};

/// What attach() did.
struct Attached {
  std::string name;
  std::shared_ptr<const Method> method;
};

namespace detail {
struct Attaching {
  std::string name;
  const Method* method;
  Rng* rng;
};
/// All or none, in time linear in their number; the last is selected. Errors: as peft::attach()
void attach(const BaseModel& base, const std::vector<Attaching>& all);
Attached attach(const BaseModel& base, std::shared_ptr<const Method> method, Rng& rng, const std::string& name);
}
/// Freezes everything, other adapters included, attaches the method to the base, and selects it for all rows. What is attached
/// already does not change what it starts from. The head of a classifier is trained too, as a variant of its own.
/// Errors: ValueError: a name that is taken, or is not a word of letters, digits, _ and -; a parameter of the method that
/// does not name its adapter; an adapter that is merged; what the method refuses. On errors model and rng are unchanged.
template <class M>
Attached attach(const BaseModel& base, const M& method, Rng& rng, const std::string& name = "default") {
  return detail::attach(base, std::make_shared<M>(method), rng, name);
}
/// Removes it, in any order; the base is what attach() was given, bit for bit. What attach() froze is trainable again, except
/// for what a later one keeps frozen; so the base is trainable again after the last. Its parameters are gone: an optimizer that
/// has them cannot step. If it was selected, the base is. Errors: ValueError lists the existing names.
void detach(const BaseModel& base, const std::string& name);
inline void detach(const BaseModel& base, const Attached& attached) { detach(base, attached.name); }

/// Uses this one from now on; "" is the base alone. Errors: ValueError for a name that is not attached.
void select(const BaseModel& base, const std::string& name);
/// One for each row of the batches to come. Errors: as select(); a batch of another length is a ShapeError of the model.
void select_rows(const BaseModel& base, const std::vector<std::string>& names);

std::vector<std::string> names(const BaseModel& base);  ///< of all that is attached
/// The parameters of one, by path.
std::vector<std::pair<std::string, Param*>> parameters(const BaseModel& base, const std::string& name);
/// The trainable parameters, for an optimizer. The pointers hold until the parameters are detached, folded or flattened.
std::vector<std::pair<std::string, Param*>> learning(const BaseModel& base);
/// Trains only these from now on (several prompts in one batch). Errors: ValueError for an unknown name, and for
/// a method in place, whose parameters are the model's.
void learn(const BaseModel& base, const std::vector<std::string>& names);

/// Merges it into the weights: inference then costs what the base costs. safe: throws before anything changes if a merged
/// number is not finite. unmerge() restores the weights bit for bit, since they were kept aside.
/// While it is merged, nothing can be attached, and nothing else merged.
/// Errors: ValueError for a method that cannot be merged, or if one is merged already.
void merge(const BaseModel& base, const std::string& name, bool safe = true);
void unmerge(const BaseModel& base, const std::string& name);
/// Merges it for good: its wrappers and the originals are gone; without other adapters, a plain model is left.
/// Errors: as merge(); ValueError for another adapter between this one and the weights, which would be lost.
void merge_and_unload(const BaseModel& base, const std::string& name);
/// Drops what only training needs (encoders), with equal results.
void flatten(const BaseModel& base, const std::string& name);

/// "trainable 294912 of 124734720 parameters (0.236 %)", and which adapters are attached but frozen.
std::string report(const BaseModel& base);

// --- for methods ---------------------------------------------------------------------------------------------------------

/// A parameter and its owner: the name of an adapter; "" is the base. The structure says so (PartName), not the path.
struct Owned {
  std::string path;
  Param* param;
  std::string adapter;
};
std::vector<Owned> owned(const BaseModel& base);  ///< every parameter once, with the path of its first place

/// Does the path end with the word or words `target`? "attn.q" and "q" match layers.0.attn.q; "c" does not match abc.
bool matches(const std::string& path, const std::string& target);
/// Is it a parameter of a norm?
bool is_norm(const std::string& path);
/// The base's slots whose paths end with one of the targets. Errors: ValueError for a target that matches none lists what there is,
/// and `more`.
template <class T>
std::vector<std::pair<std::string, Slot<T>*>> targeted(const BaseModel& base, const std::vector<std::string>& targets,
                                                       const std::string& who, const std::string& more = {});
extern template std::vector<std::pair<std::string, Slot<Projection>*>> targeted(const BaseModel&, const std::vector<std::string>&,
                                                                                const std::string&, const std::string&);
extern template std::vector<std::pair<std::string, Slot<Table>*>> targeted(const BaseModel&, const std::vector<std::string>&,
                                                                           const std::string&, const std::string&);
extern template std::vector<std::pair<std::string, Slot<RowMap>*>> targeted(const BaseModel&, const std::vector<std::string>&,
                                                                            const std::string&, const std::string&);
/// A trainable variant of each parameter of the base whose path satisfies which(), except those of a head, trained in full;
/// returns how many there were.
Index vary(const BaseModel& base, const std::string& name, const std::function<bool(const std::string& path)>& which);

}  // namespace graft::peft
