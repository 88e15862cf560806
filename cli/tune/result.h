// The results of a training: the adapter, and result.json, a run of report.h.
#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/tune/folder.h"
#include "cli/tune/job.h"
#include "train/trainer.h"

namespace graft::cli {

/// Peaks of the ledger by category, in bytes.
nlohmann::json peaks();

/// Saves the adapter, or the model, completely or not at all. Returns its bytes, including its configuration.
std::uintmax_t save_result(Job& job, const Folder& folder);

/// result.json except "adapter_bytes" and "peak": sizes, curves from the lines of the log, and, if data are held out, the score
/// and samples. before: the result of score() for the model without the method.
nlohmann::json result_of(Job& job, const train::TrainingState& progress, const std::vector<nlohmann::json>& lines,
                         const nlohmann::json& before);

std::string summary(const nlohmann::json& result);  ///< a few lines for the terminal

}  // namespace graft::cli
