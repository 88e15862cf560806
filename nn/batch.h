// Rows of tokens: a user's (Batch), and as the model reads them, with its template (Templated).
//     language_loss(model, {ids, labels});                                       what takes a Batch applies the template itself
//     model(model.prompt_template(Batch{ids}));                                  by hand
//     model(ids);                                                                raw: these ids and nothing around them
#pragma once
#include <vector>

#include "autograd/sizes.h"
#include "autograd/tensor.h"

namespace graft {

/// A user's rows, (B, T). Each row is a sentence and perhaps its answer, and then padding. Where the answer begins
/// matters to templates that put something between the two.
struct Batch {
  Ids ids;
  Ids labels{};                  ///< (B, T): tokens that are scored, each in its own place; `ignored` elsewhere. Empty: none is
  std::vector<Index> lengths{};  ///< how many tokens of each row are real. Empty: all are
  std::vector<Index> answers{};  ///< where in each row the answer begins; at its length: no answer. Empty: no row has one

  Index rows() const { return ids.shape().dim(0); }
  Index length(Index b) const { return lengths.empty() ? ids.shape()[1] : nth(lengths, b); }
  Index answer(Index b) const { return answers.empty() ? length(b) : nth(answers, b); }
  /// Errors: ShapeError unless ids are (B, T), at least one, and all else fits them.
  void check() const;
};

/// A batch with the template around it. Only a Template makes one, and none takes one, so that applying the template
/// twice, or forgetting it, is a compile error.
class Templated : private Batch {
 public:
  using Batch::answer, Batch::answers, Batch::ids, Batch::labels, Batch::length, Batch::lengths, Batch::rows;

  /// Ids that are used as they are: the continuation of a cache, or ids without a template.
  static Templated raw(Ids ids, std::vector<Index> lengths = {});
  /// The place of each row's last token, which predicts what comes next. Errors: ShapeError for a row without tokens.
  std::vector<Index> last() const;

 private:
  explicit Templated(Batch batch) : Batch(std::move(batch)) { check(); }
  friend struct Template;
};

/// Rows of ids padded on the right to one batch. pad is any id of the vocabulary: it is never attended to.
Batch padded(const std::vector<std::vector<Id>>& rows, Id pad = 0);

}  // namespace graft
