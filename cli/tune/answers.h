// A model's answers on the evaluation examples, Job::eval_set(), and their score, as result.json holds it.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "cli/tune/job.h"
#include "tune/answers.h"

namespace graft::cli {

struct Answers {
  tune::Predicted predicted;       ///< of classes
  std::vector<std::string> texts;  ///< what was generated
  tune::Score score;
};

/// For as many examples as the settings say, with the method or without. Without it classes have no answer by a
/// trained head. Errors: Interrupted, by a signal that CatchSignals has caught.
Answers answer(Job& job, bool tuned);

/// Seconds of processor time of a forward pass over a batch, with the method and without, measured alternately.
std::pair<double, double> inference(Job& job);

/// {"score", "score_name", "higher_is_better", and "exact" or "majority", "confusion", "predicted"}
nlohmann::json score(const Job& job, const Answers& answers);
/// [{"prompt", "reference", "before", "after"}]; before: what score() returned for the model without the method.
nlohmann::json samples(const Job& job, const Answers& answers, const nlohmann::json& before, Index count);
nlohmann::json votes(const Job& job, const Answers& answers, Index count);
/// The fields "delta", "prefix_attention", "virtual_tokens" of a run in report.h, those that the method has.
nlohmann::json insight(const Job& job);

}  // namespace graft::cli
