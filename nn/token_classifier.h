// Classification of every token: each row of the last norm through a linear head with a bias, as GPT2ForTokenClassification
// and LlamaForTokenClassification of transformers. A causal model classifies a token by those up to it.
#pragma once
#include "nn/model.h"

namespace graft {

struct TokenClassifier : Module {
  Slot<Model> model{*this, ""};  ///< unnamed: paths are those of the model
  Slot<RowMap> drop;             ///< before the head (transformers' classifier_dropout); empty: none
  Slot<Projection> classifier;   ///< (D) -> (labels), with bias
  std::vector<std::string> labels;

  TokenClassifier(std::unique_ptr<Model> model, std::vector<std::string> labels, real dropout = 0);
  std::string kind() const override;
  /// (B, T) -> (B, T', labels), T' with what the model's template adds. Padding on the right changes nothing before it, and its
  /// own rows are meaningless. Errors: ShapeError, as Batch::check()
  Variable operator()(const Batch& user) { return (*this)(model->prompt_template(user)); }
  Variable operator()(const Ids& ids) { return (*this)(Batch{ids}); }
  Variable operator()(const Templated& batch);
};

/// Mean cross-entropy of labels[b, t] for token t itself, not the next one, through the model's template; a label -100 is not
/// scored (padding, later pieces of a word). Errors: as cross_entropy(); ShapeError, as Batch::check()
Variable token_loss(TokenClassifier& classifier, const Batch& user, const Reduction& reduction = {});

}  // namespace graft
