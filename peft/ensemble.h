// Prompt ensembling: Lester et al. 2021, section 6. K prompts of one task, which differ by their random start, are K models on
// one frozen base. They answer in one batch: every row is repeated K times, each time after another prompt, and the majority
// decides (the paper), or the mean probability. Here they are also trained in one batch, which equals K separate runs.
// A prompt is a name like any other ("task-0", "task-1", ...), so it is saved, switched and detached like one; and rows of
// different tasks share a batch by naming their prompts in the model's selection, without this file.
#pragma once
#include <string>
#include <vector>

#include "autograd/ops.h"
#include "peft/method.h"

namespace graft::peft {

namespace detail {
std::vector<Attached> attach_ensemble(const BaseModel& base, std::shared_ptr<const Method> method, Index count, Rng& rng,
                                      const std::string& name);
}

/// K of the method's prompts as NAME-0 .. NAME-(K-1), from K streams of rng; all learn. Errors: as attach(); then none is.
template <class M>
std::vector<Attached> attach_ensemble(const BaseModel& base, const M& method, Index count, Rng& rng, const std::string& name) {
  return detail::attach_ensemble(base, std::make_shared<M>(method), count, rng, name);
}
std::vector<std::string> names_of(const std::vector<Attached>& prompts);

/// Rows of the batch K times: first all for prompt 0, then all for prompt 1, ...
Ids repeated(const Ids& ids, Index count);
Batch repeated(const Batch& user, Index count);
/// Which prompt each of those rows uses: the argument of select_rows().
std::vector<std::string> rows_for(const std::vector<std::string>& prompts, Index batch);

/// Σ over prompts of the mean cross-entropy that this prompt has on the batch: gradients are those of K separate
/// runs, because each prompt has a mean of its own. Clip by clip_gradients(parameters(base, prompt), ..) one by one.
/// The model's selection is as before when it returns. Errors: as language_loss().
Variable ensemble_loss(Model& model, const std::vector<std::string>& prompts, const Batch& user);

/// The joint answer of K models, from logits (K·B, labels) in the order of repeated().
struct Votes {
  Ids majority;          ///< (B); in a tie, the label with the higher mean probability
  Ids most_probable;     ///< (B); by mean probability
  Tensor probabilities;  ///< (B, labels), the mean
  Tensor votes;          ///< (B, labels), counts
};
Votes vote(const Tensor& logits, Index prompts);  ///< Errors: ShapeError

}  // namespace graft::peft
