// Model: what every language model has, so that generating, scoring and training need to know no architecture.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "autograd/ops.h"
#include "nn/interfaces.h"

namespace graft {

struct Model : Module {
  Slot<Memory> memory{*this, "memory", std::make_unique<Memory>()};
  Slot<Template> frame{*this, "frame", std::make_unique<Template>()};
  Selection selection;
  /// Who was put into slots under a name, in this order, and what learned until then and learns again once it is taken off:
  /// kept by peft/method.h. A selection that names nobody is an error.
  struct Attachment {
    std::uint64_t order;
    bool in_place;  ///< it changes the model's own parameters
    std::vector<std::string> learned;
  };
  std::map<std::string, Attachment> attachments;
  /// While gradients are recorded, keep of each block only its input and run it again in backward (autograd/recompute.h): less
  /// memory, about a third more time. The past that is passed in then does not keep what was read.
  bool recomputing = false;

  virtual Slot<Table>& table() = 0;        ///< ids -> rows
  virtual Slot<Projection>& output() = 0;  ///< rows -> logits; may be empty (a model that was loaded as a classifier)
  virtual Index layer_count() const = 0;
  virtual Index context() const = 0;     ///< the most positions it was built for
  virtual Index vocabulary() const = 0;  ///< V: ids below it are words
  virtual Index width() const = 0;       ///< D

  /// The residual stream after the last norm, (B, T) -> (B, T, D). Token t of row b stands at position past.lengths[b] + t;
  /// past becomes longer by T. Errors: IndexError beyond the context or the vocabulary; ValueError for a selection that names
  /// nobody, or for a parameter without numbers; ShapeError unless selection.rows is empty or as long as the batch.
  Variable hidden(const Ids& ids, Past& past);
  /// Logits (B, T, V) of the raw ids after `past`; without it, after the memory.
  Variable operator()(const Ids& ids, Past& past) { return output()(hidden(ids, past)); }
  Variable operator()(const Ids& ids);
  Past begin(Index batch);  ///< the memory for so many rows
  /// How many of a user's tokens fit into the context beside the memory and what the frame adds.
  Index free_positions();

 protected:
  virtual Variable forward(const Ids& ids, const Ids& positions, Past& past) = 0;
  /// y = x + attn(norm(x))      y + mlp(y)      the block that GPT-2 and Llama share, recomputed if so wished.
  template <class Block>
  Variable through(Block& block, const Variable& x, const Ids& positions, KeyValue& keys, const Past& past) {
    const auto f = [&block, positions, lengths = past.lengths, capacity = past.reserve](const Variable& in, KeyValue& own) {
      const Variable y = in + block.attn(block.norm(in), positions, own, lengths, capacity);
      return y + block.mlp(y);
    };
    return recomputed(f, x, keys);
  }

 private:
  /// f(x, keys), or that again in backward. f is kept until then: what it captures must be its own, or the model's.
  Variable recomputed(const std::function<Variable(const Variable& x, KeyValue& keys)>& f, const Variable& x, KeyValue& keys);
  void expect_selection(Index batch) const;
  std::shared_ptr<const Model> self_{this, [](const Model*) {}};  // owns nothing; says when the model is gone
};

/// Of x (B, T, D) the row at[b] of each b: (B, D). Errors: ShapeError, IndexError
Variable rows_at(const Variable& x, const std::vector<Index>& at);
/// What each place predicts: labels (B, T) one to the left, the last of a row `ignored`.
Ids next_labels(const Ids& labels);

/// Mean cross-entropy of predicting labels[b, t + 1] from the tokens up to t (labels -100 are not scored), through the
/// frame: ids and labels (B, T) are the user's. The shift is done here, so labels are the ids themselves, with `ignored` at
/// what is not to be learned: language_loss(model, ids, ids). Labels that were shifted before, as in nanoGPT, would teach
/// every token the one after the next. Never holds all logits. Errors: as cross_entropy().
Variable language_loss(Model& model, const Ids& ids, const Ids& labels, const Reduction& reduction = {});

}  // namespace graft
