// Prompt tuning: Lester et al. 2021, "The power of scale for parameter-efficient prompt tuning". X' = [P; E(x)]: P trained rows
// before the input, in the input layer only, without a network behind them.
// Sources disagree on the start: the paper draws from [-0.5, 0.5] (its Flax code from [0, 0.5)); PEFT takes N(0, 1), which is
// far larger than GPT-2's own rows and learns badly. Rows of the vocabulary learn best on small models (its figure 3b).
// Several prompts of one task (its section 6) are in ensemble.h.
#pragma once
#include "peft/prompt_template.h"

namespace graft::peft {

struct PromptTuning : Method {
  Index length = 20;  ///< P; the paper's default is 100
  /// random: N(0, 1), PEFT's; uniform: [-0.5, 0.5), the paper's; vocabulary: rows of the table, drawn without replacement;
  /// text: rows of `text`, repeated or cut to P; labels: the mean row of each label's words, then as vocabulary.
  enum class Init { random, uniform, vocabulary, text, labels };
  Init init = Init::vocabulary;
  std::vector<Id> text;
  std::vector<std::vector<Id>> labels;
  Index most_common = 5000;  ///< vocabulary: only the first N ids (the paper: T5's are sorted by likelihood; a BPE's by merging)

  static std::vector<MethodRow> rows();
  std::string kind() const override { return "prompt tuning"; }
  void graft(const BaseModel& base, const std::string& name, Rng& rng) const override;
};

}  // namespace graft::peft
