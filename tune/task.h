// What is trained: a model with a method on it, examples in batches, and the loss of what they ask for.
//     tune::ClassTask task(base, data, held, 16, rng);       // classes by a head, or with a verbalizer by label words
//     tune::LanguageTask task(base, data, held, 16, rng);    // text, completions, chats
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "peft/method.h"
#include "peft/verbalizer.h"
#include "train/data.h"
#include "train/trainer.h"

namespace graft::tune {

/// What every kind has. The base and rng must outlive it.
class Task : public train::Task {
 public:
  const peft::BaseModel base;
  train::Dataset data, held;  ///< the training data; the data of validate()
  Index batch_size;
  Index accumulate = 1;  ///< batches of a step; each scored token, or row, counts alike, whichever batch it is in
  const std::vector<std::string> ensemble;  ///< prompts that are trained together and vote; empty: what is selected

  double gradients(Index step) override;
  double clip(double largest) override;  ///< for an ensemble each prompt separately, as each is a model of its own
  double validate() override { return loss(held); }
  std::string batch(Index step) const override;

  /// The mean over all that is scored, without dropout; of an ensemble the mean over its prompts.
  double loss(const train::Dataset& examples) const;
  std::vector<Batch> batches(Index step) const;                      ///< what the user's rows of a step are
  std::vector<std::vector<Index>> in_batches(Index examples) const;  ///< the numbers 0 .. n - 1, for visiting all in order
  Index prompts() const;  ///< how many answer at once: those of an ensemble that is selected, else 1

 protected:
  /// Draws the order of the batches from rng, which dropout then draws from. Errors: ValueError: no examples
  Task(const peft::BaseModel& base, train::Dataset data, train::Dataset held, Index batch, Rng& rng,
       std::vector<std::string> ensemble);

  /// `share` times the mean over what these examples are scored on, for each prompt.
  virtual Variable batch_loss(const train::Dataset& of, const std::vector<Index>& which, double share) const = 0;
  virtual Index scored(const train::Dataset& of, const std::vector<Index>& which) const = 0;

 private:
  train::Order order_;
};

/// Text, completions or chats: the tokens that are labelled are predicted.
class LanguageTask : public Task {
 public:
  /// ensemble: of prompts of peft::attach_ensemble() their names. Errors: ValueError for examples of classes, or a model with a
  /// head.
  LanguageTask(const peft::BaseModel& base, train::Dataset data, train::Dataset held, Index batch, Rng& rng,
               std::vector<std::string> ensemble = {});

 protected:
  Variable batch_loss(const train::Dataset& of, const std::vector<Index>& which, double share) const override;
  Index scored(const train::Dataset& of, const std::vector<Index>& which) const override;
};

/// Classes of texts.
class ClassTask : public Task {
 public:
  /// A head answers: see make_classifier(). Errors: ValueError for examples without classes, or a model without a head.
  ClassTask(const peft::BaseModel& base, train::Dataset data, train::Dataset held, Index batch, Rng& rng,
            std::vector<std::string> ensemble = {});
  /// Label words answer. Errors: ValueError for examples without classes, or a model with a head.
  ClassTask(const peft::BaseModel& base, train::Dataset data, train::Dataset held, Index batch, Rng& rng,
            peft::Verbalizer verbalizer, std::vector<std::string> ensemble = {});

  Variable logits(const Batch& user) const;  ///< (B, labels), or of an ensemble (K·B, labels)
  const std::vector<std::string>& labels() const { return data.labels; }
  bool by_words() const { return verbalizer_.has_value(); }

 protected:
  Variable batch_loss(const train::Dataset& of, const std::vector<Index>& which, double share) const override;
  Index scored(const train::Dataset& of, const std::vector<Index>& which) const override;

 private:
  std::optional<peft::Verbalizer> verbalizer_;
};

}  // namespace graft::tune
