// Classes: predicted by a trained head, or by label words at the place of the answer.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "peft/method.h"
#include "peft/verbalizer.h"

namespace graft::tune {

/// What a run knows about its classes, kept beside the adapter as classes.json.
struct Classes {
  std::vector<std::string> labels;
  std::vector<std::vector<std::string>> words;  ///< for each label; empty: a head predicts
  bool quantized = false;                       ///< the base was packed into 4 bits for the training, so it must be again
};
void save_classes(const Classes& classes, const std::string& folder);  ///< Errors: FileError
/// Errors: FileError says that graft tune writes it; FormatError
Classes read_classes(const std::string& folder);

/// A head of random numbers on a language model, N(0, 0.02) as transformers; its head for words is removed.
/// Errors: ValueError for a model that has a head already, and for fewer than two labels.
void make_classifier(Loaded& base, const std::vector<std::string>& labels, Rng& rng);

/// For each label its words, or where none are given the label itself; each with the space before it that it has in a sentence.
/// Errors: ValueError for words of an unknown label.
std::vector<std::vector<std::string>> label_words(const std::vector<std::string>& labels,
                                                  const std::map<std::string, std::vector<std::string>>& given = {});

/// Scores (B, labels) of a user's rows by what the model's selection names, or of several prompts (K·B, labels), as vote() wants them.
/// verbalizer: null if a head predicts.
Variable class_logits(const peft::BaseModel& base, const peft::Verbalizer* verbalizer, const std::vector<std::string>& prompts,
                      const Batch& user);

}  // namespace graft::tune
