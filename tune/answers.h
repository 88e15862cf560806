// The answers of a tuned model on examples, and their score.
//     tune::accuracy(task, held)                                      of classes
//     tune::complete(task, held, tokenizer, base.ends)                 of texts
#pragma once
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "tokenizer/tokenizer.h"
#include "train/confusion.h"
#include "tune/task.h"

namespace graft::tune {

/// Called before each batch; what it throws ends the work, so that a user can interrupt it.
using Between = std::function<void()>;

/// Classes of the first `most` examples (0: of all). For an ensemble, the majority.
struct Predicted {
  std::vector<Index> classes;  ///< one per example
  Tensor votes;                ///< (examples, labels): how many prompts chose each label
};
Predicted predict(const ClassTask& task, const train::Dataset& examples, Index most = 0, const Between& between = {});

/// The share of the examples whose class is right, in [0, 1].
double accuracy(const ClassTask& task, const train::Dataset& examples);

/// How many tokens of a plain text are the prompt for a continuation.
std::size_t prompt_of_text(const train::Example& example);

/// Greedy continuations of the prompts of the first `most` examples (0: of all), until one of the ends. For an ensemble what
/// most of its prompts answer; ties go to the earliest. begin: the token to start from where the prompt is empty,
/// -1: the example's first.
std::vector<std::string> complete(const LanguageTask& task, const train::Dataset& examples, const Tokenizer& tokenizer,
                                  const std::vector<Id>& ends, Id begin = -1, Index most = 0, const Between& between = {});

/// The score of answers.
struct Score {
  std::string name;  ///< "accuracy" (of classes), "BLEU" (of completions), or "NLL", the held-out loss (of text and chats)
  double value = 0;
  bool higher_is_better = true;
  std::optional<train::Confusion> confusion;  ///< of classes
  std::optional<double> exact;                ///< of completions: the share of exact matches, in [0, 1]
};
Score score(const train::Dataset& examples, const Predicted& predicted);
Score score(const LanguageTask& task, const train::Dataset& examples, const std::vector<std::string>& written);

}  // namespace graft::tune
