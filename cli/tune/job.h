// One training: a model with a method on it, data in batches, gradients, and what the model then makes of held-out data.
// Three kinds: language (text, completions, chat), classes by a trained head, classes by label words.
#pragma once
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/tune/classes.h"
#include "cli/tune/settings.h"
#include "nn/load.h"
#include "peft/verbalizer.h"
#include "train/data.h"
#include "train/trainer.h"

namespace graft::cli {

/// What a model says on held-out data.
struct Answers {
  double loss = 0;                 ///< mean
  std::vector<Index> predicted;    ///< classes, one per example
  std::vector<std::string> texts;  ///< what was generated
  Tensor votes;                    ///< (examples, labels), of an ensemble
};

/// How many tokens of a plain text are the prompt when it is gone on with.
inline std::size_t prompt_of_text(const train::Example& example) {
  return std::max<std::size_t>(1, std::min<std::size_t>(24, example.ids.size() / 2));
}

class Job : public train::Task {
 public:
  /// Loads everything and attaches the method. Errors: those of the parts; ValueError for what does not go together.
  explicit Job(const Settings& settings);

  double gradients(Index step) override;
  double clip(double largest) override;
  double validate() override;
  std::string batch(Index step) const override;
  std::vector<Framed> batches(Index step) const;  ///< what the user's rows of step s are

  Index steps() const { return steps_; }
  bool classes() const { return !data.labels.empty(); }
  peft::Host host() const { return peft::Host(loaded); }
  std::unique_ptr<train::Optimizer> optimizer() const;
  train::Plan plan() const;

  /// Classes, or generated texts (only of completions), of the first `most` held-out examples; with the method or without.
  /// Without it there is no answer to classes by a trained head.
  Answers answer(Index most, bool tuned);
  /// Seconds of processor time of a forward pass over a batch, with the method and without, measured in turns.
  std::pair<double, double> inference();

  Settings settings;
  Loaded loaded;
  Tokenizer tokenizer;
  train::Dataset data, held;
  Chosen chosen;
  std::vector<std::vector<std::string>> words;  ///< of each label, if words answer
  std::optional<peft::Verbalizer> verbalizer;
  Rng rng;  ///< of dropout

 private:
  Variable loss(const std::vector<Index>& which, double scored_in_all) const;
  Variable logits(const Framed& user) const;  ///< (B, labels), or of an ensemble (K·B, labels)
  Index scored(const std::vector<Index>& which) const;
  double held_loss(const std::vector<Index>& which) const;  ///< the sum over what is scored, and its number
  Index steps_ = 0;
  std::optional<train::Order> order_;
};

}  // namespace graft::cli
