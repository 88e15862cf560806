// One training: a model with a method on it, data in batches, and gradients.
// Three kinds: language (text, completions, chat), classes by a trained head, classes by label words.
#pragma once
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

class Job : public train::Task {
 public:
  /// Loads everything and attaches the method. Errors: those of the parts; ValueError for what does not go together.
  explicit Job(const Settings& settings);

  double gradients(Index step) override;
  double clip(double largest) override;
  double validate() override { return loss_on(held); }
  std::string batch(Index step) const override;
  std::vector<Framed> batches(Index step) const;  ///< what the user's rows of step s are

  /// The numbers 0 .. n - 1, a batch at a time: how examples are looked at that nothing is learned from.
  std::vector<std::vector<Index>> in_order(Index n) const;

  Index steps() const { return steps_; }
  bool classes() const { return !data.labels.empty(); }
  peft::Host host() const { return peft::Host(loaded); }
  double loss_on(const train::Dataset& examples);  ///< mean over what is scored
  Variable logits(const Framed& user) const;       ///< (B, labels), or of an ensemble (K·B, labels)
  Index prompts() const;  ///< how many are asked at once: those of an ensemble that is selected, else 1
  /// What scores and samples are about: the test data, or where there are none what is held out.
  const train::Dataset& asked() const { return test.examples.empty() ? held : test; }

  Settings settings;
  Loaded loaded;
  Tokenizer tokenizer;
  Texts texts;
  train::Dataset data, held, test;  ///< learned from; chooses the best parameters; seen by the score only
  Chosen chosen;
  std::vector<std::vector<std::string>> words;  ///< of each label, if words answer
  std::optional<peft::Verbalizer> verbalizer;
  Rng rng;  ///< of dropout

 private:
  train::ReadOptions look();  ///< which classes the data have: the head and the prompts need them
  bool check_kinds() const;   ///< whether label words answer
  void read(train::ReadOptions reading);
  Variable loss(const train::Dataset& of, const std::vector<Index>& which, double share) const;
  Index scored(const train::Dataset& of, const std::vector<Index>& which) const;
  Index steps_ = 0;
  std::optional<train::Order> order_;
};

}  // namespace graft::cli
