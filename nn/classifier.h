// Sequence classification: the model's last real token of each row, through a linear head.
#pragma once
#include "nn/model.h"

namespace graft {

struct Classifier : Module {
  Slot<Model> model{*this, ""};  ///< unnamed: paths are those of the model
  Slot<Projection> score;        ///< (D) -> (labels), no bias
  Id pad;                        ///< the padding id, or -1: rows are full
  std::vector<std::string> labels;

  Classifier(std::unique_ptr<Model> model, std::vector<std::string> labels, Id pad);
  std::string kind() const override;
  /// (B, T) -> (B, labels), through the model's template: by the last token of each row. Rows without lengths end with the
  /// right-most token that is not `pad` (HF: GPT2ForSequenceClassification). Errors: ShapeError, as Batch::check()
  Variable operator()(const Batch& user);
  Variable operator()(const Ids& ids) { return (*this)(Batch{ids}); }
};

}  // namespace graft
