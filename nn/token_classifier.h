// Classification of every token: each row of the last norm through a linear head with a bias, as GPT2ForTokenClassification
// and LlamaForTokenClassification of transformers. A causal model judges a token by those up to it.
#pragma once
#include "nn/model.h"

namespace graft {

struct TokenClassifier : Module {
  Slot<Model> model{*this, ""};  ///< no name of its own: paths are those of the model
  Slot<RowMap> drop;             ///< before the head (transformers' classifier_dropout); empty: none
  Slot<Projection> classifier;   ///< (D) -> (labels), with bias
  std::vector<std::string> labels;

  TokenClassifier(std::unique_ptr<Model> model, std::vector<std::string> labels, real dropout = 0);
  std::string kind() const override;
  /// Raw ids (B, T) -> (B, T, labels). Padding on the right changes nothing before it, and its own rows mean nothing.
  Variable operator()(const Ids& ids);
};

/// Mean cross-entropy of labels[b, t] for token t itself, not the next one, through the frame: ids and labels (B, T) are the
/// user's; a label -100 is not scored (padding, later pieces of a word). Errors: as cross_entropy().
Variable token_loss(TokenClassifier& classifier, const Ids& ids, const Ids& labels, const Reduction& reduction = {});

}  // namespace graft
