// What a model says on the examples that it is asked about, Job::asked(): classes, or texts.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "cli/tune/job.h"

namespace graft::cli {

struct Answers {
  std::vector<Index> predicted;    ///< classes, one per example
  std::vector<std::string> texts;  ///< what was generated
  Tensor votes;                    ///< (examples, labels), of an ensemble
  double loss = 0;                 ///< of text and chats: the mean over all that is scored
};

/// How many tokens of a plain text are the prompt when it is gone on with.
std::size_t prompt_of_text(const train::Example& example);

/// Of the first `most` examples, with the method or without. Without it there is no answer to classes by a trained head.
/// Of an ensemble the majority; of answers that are equally frequent the earliest. Errors: Interrupted, by a signal that
/// CatchSignals has caught.
Answers answer(Job& job, Index most, bool tuned);

/// Seconds of processor time of a forward pass over a batch, with the method and without, measured in turns.
std::pair<double, double> inference(Job& job);

}  // namespace graft::cli
