// Sequence classification: the model's last real token of each row, through a linear head.
#pragma once
#include "nn/model.h"

namespace graft {

struct Classifier : Module {
  Slot<Model> model{*this, ""};  ///< no name of its own: paths are those of the model
  Slot<Projection> score;        ///< (D) -> (labels), no bias
  Id pad;                        ///< the padding id, or -1: rows are full
  std::vector<std::string> labels;

  Classifier(std::unique_ptr<Model> model, std::vector<std::string> labels, Id pad);
  std::string kind() const override;
  /// Raw ids (B, T) -> (B, labels). The pooled token is the right-most that is not `pad` (HF: GPT2ForSequenceClassification);
  /// with lengths, token lengths[b] - 1.
  Variable operator()(const Ids& ids, const std::vector<Index>& lengths = {});
};

}  // namespace graft
