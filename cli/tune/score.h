// How good the answers on held-out data are: accuracy of classes, BLEU of completions, and for plain text the loss.
#pragma once
#include <nlohmann/json_fwd.hpp>

#include "cli/tune/answers.h"

namespace graft::cli {

/// {"score", "score_name", "higher_is_better", and "exact" or "majority", "confusion", "predicted"}
nlohmann::json score(const Job& job, const Answers& answers);
/// [{"prompt", "reference", "before", "after"}]; before: what score() said of the model without the method.
nlohmann::json samples(const Job& job, const Answers& answers, const nlohmann::json& before, Index count);
nlohmann::json votes(const Job& job, const Answers& answers, Index count);
std::string summary(const nlohmann::json& result);  ///< some lines to read

}  // namespace graft::cli
