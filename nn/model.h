// Model: what every language model has, so that generation, scoring and training do not depend on the architecture.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "autograd/ops.h"
#include "nn/attachments.h"
#include "nn/interfaces.h"

namespace graft {

struct Model : Module {
  Slot<Memory> memory{*this, "memory", std::make_unique<Memory>()};
  Slot<Template> prompt_template{*this, "prompt_template", std::make_unique<Template>()};
  Attachments attachments;
  /// While gradients are recorded, keep only the input of each block and run it again in backward (autograd/recompute.h): less
  /// memory, about a third more time. The past then does not keep what was read.
  bool recomputing = false;

  /// Uses this variant from now on, or these for the rows of the batches to come; "" is the model without one.
  /// Errors: ValueError for a name that is not attached.
  void select(Selection selection);
  const Selection& selection() const { return selection_; }

  virtual Slot<Table>& table() = 0;        ///< ids -> rows
  virtual Slot<Projection>& output() = 0;  ///< rows -> logits; may be empty (a model that was loaded as a classifier)
  virtual Index layer_count() const = 0;
  virtual Index context() const = 0;     ///< the largest number of positions
  virtual Index vocabulary() const = 0;  ///< V: ids below it are words
  virtual Index width() const = 0;       ///< D

  /// The residual stream after the last norm, (B, T) -> (B, T, D). Token t of row b stands at position past.lengths[b] + t;
  /// past becomes longer by each row's length. Rows of padding are meaningless. Errors: IndexError beyond the context or the
  /// vocabulary; ValueError for a parameter without numbers; ShapeError unless the selection is one for all rows, or one for each.
  Variable hidden(const Templated& batch, Past& past);
  /// Logits (B, T, V) after the memory.
  Variable operator()(const Templated& batch);
  /// The same of raw ids: these and nothing around them, whatever the template is; also after `past`.
  Variable operator()(const Ids& ids) { return (*this)(Templated::raw(ids)); }
  Variable operator()(const Ids& ids, Past& past) { return output()(hidden(Templated::raw(ids), past)); }
  Past begin(Index batch);  ///< the memory for this many rows
  /// How many of a user's tokens fit into the context beside the memory and what the template adds.
  Index free_positions();

 protected:
  virtual Variable forward(const Ids& ids, const Ids& positions, Past& past) = 0;
  /// y = x + attn(norm(x))      y + mlp(y)      the block that GPT-2 and Llama share, recomputed if requested.
  template <class Block>
  Variable through(Block& block, const Variable& x, const Ids& positions, KeyValue& keys, const Past& past) {
    const auto f = [&block, positions, lengths = past.lengths, capacity = past.reserve](const Variable& in, KeyValue& own) {
      const Variable y = in + block.attn(block.norm(in), positions, own, lengths, capacity);
      return y + block.mlp(y);
    };
    return recomputed(f, x, keys);
  }

 private:
  Selection selection_;
  /// f(x, keys), or that again in backward. f is kept until then: what it captures must be its own, or the model's.
  Variable recomputed(const std::function<Variable(const Variable& x, KeyValue& keys)>& f, const Variable& x, KeyValue& keys);
  std::shared_ptr<const Model> self_{this, [](const Model*) {}};  // owns nothing; tells when the model is gone
};

/// While it exists, the model uses this selection. Errors: as select()
class WithSelection {
 public:
  WithSelection(Model& m, Selection selection) : model_(m), before_(m.selection()) { m.select(std::move(selection)); }
  ~WithSelection();  ///< the base, if what was selected before is gone
  WithSelection(const WithSelection&) = delete;
  WithSelection& operator=(const WithSelection&) = delete;

 private:
  Model& model_;
  Selection before_;
};

/// Of x (B, T, D) the row at[b] of each b: (B, D). Errors: ShapeError, IndexError
Variable rows_at(const Variable& x, const std::vector<Index>& at);
/// What each place predicts: labels (B, T) one to the left, the last of a row `ignored`.
Ids next_labels(const Ids& labels);

/// Mean cross-entropy of predicting labels[b, t + 1] from the tokens up to t, through the template. The shift is done here, so
/// labels are the ids themselves, with `ignored` (-100) at what is not trained on: language_loss(model, ids, ids). Labels
/// that were shifted before, as in nanoGPT, would teach every token the one after the next. Never holds all logits. Errors: as
/// cross_entropy(); ShapeError, as Batch::check()
Variable language_loss(Model& model, const Batch& user, const Reduction& reduction = {});
/// Of rows without an answer.
Variable language_loss(Model& model, const Ids& ids, const Ids& labels, const Reduction& reduction = {});
/// For callers that have applied the template already; reduction.weights belong to its labels (B, T).
Variable language_loss(Model& model, const Templated& batch, const Reduction& reduction = {});

}  // namespace graft
