// Verbalizer: label words turn a language model into a classifier (Schick & Schütze 2021, "Exploiting cloze questions for few
// shot text classification", section 3; P-tuning's few-shot experiments). A label's score is the logit of its word at the
// place of the answer; of several words, the mean. Of a word that is several tokens, the first counts, and counts once.
#pragma once
#include <string>
#include <vector>

#include "autograd/sizes.h"
#include "nn/model.h"
#include "tokenizer/tokenizer.h"

namespace graft::peft {

class Verbalizer {
 public:
  /// words[l]: the ids of label l's words. Errors: ValueError for a label without words or two labels with the same;
  /// IndexError for an id beyond the vocabulary.
  Verbalizer(std::vector<std::vector<Id>> words, Index vocabulary);
  /// From texts, encoded as they are: write the space that a word has before it in a sentence, {{" bad"}, {" good"}}, for without it the
  /// tokens are others. Errors: also ValueError for an empty text.
  Verbalizer(const std::vector<std::vector<std::string>>& words, const Tokenizer& tokenizer, Index vocabulary);

  Index labels() const { return size_of(words_); }
  /// Logits of words (.., V) -> of labels (.., labels).
  Variable operator()(const Variable& logits) const;
  /// The scores (B, labels) of a user's sentences, through the model's template: the input of cross_entropy(). An answer
  /// that a row already has is not read. Errors: ShapeError, as Batch::check(); IndexError: nothing stands before the answer
  Variable operator()(Model& model, const Batch& user) const;

 private:
  std::vector<std::vector<Id>> words_;
  Tensor mean_;  ///< (labels, V): 1/n at a label's words
};

}  // namespace graft::peft
