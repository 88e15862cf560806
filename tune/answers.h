// What a tuned model says on examples, and how good that is.
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

/// Called before each batch; what it throws ends the work. For a user who may lose patience.
using Between = std::function<void()>;

/// Classes of the first `most` examples (0: of all). Of an ensemble the majority.
struct Predicted {
  std::vector<Index> classes;  ///< one per example
  Tensor votes;                ///< (examples, labels): how many prompts said what
};
Predicted predict(const ClassTask& task, const train::Dataset& examples, Index most = 0, const Between& between = {});

/// The share of the examples whose class is right, in [0, 1].
double accuracy(const ClassTask& task, const train::Dataset& examples);

/// How many tokens of a plain text are the prompt when it is gone on with.
std::size_t prompt_of_text(const train::Example& example);

/// What is written after the prompts of the first `most` examples (0: of all), greedily, until one of the ends. Of an ensemble what
/// most of its prompts say, of answers that are equally frequent the earliest. begin: the token to start from where nothing is asked,
/// -1: the example's first.
std::vector<std::string> complete(const LanguageTask& task, const train::Dataset& examples, const Tokenizer& tokenizer,
                                  const std::vector<Id>& ends, Id begin = -1, Index most = 0, const Between& between = {});

/// How good answers are.
struct Score {
  std::string name;  ///< "accuracy" (of classes), "BLEU" (of completions), or "NLL", the held-out loss (of text and chats)
  double value = 0;
  bool higher_is_better = true;
  std::optional<train::Confusion> confusion;  ///< of classes
  std::optional<double> exact;                ///< of completions: the share that is right to the letter, in [0, 1]
};
Score score(const train::Dataset& examples, const Predicted& predicted);
Score score(const LanguageTask& task, const train::Dataset& examples, const std::vector<std::string>& written);

}  // namespace graft::tune
