// What a training leaves: the adapter, and result.json, a run of report.h.
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

/// The adapter, or the model, whole or not at all. Returns its bytes, and those of its configuration.
std::uintmax_t save_result(Job& job, const Folder& folder);

/// What result.json holds but for "adapter_bytes" and "peak": sizes, curves from the lines of the log, and with held-out data score
/// and samples. before: what score() said of the model without the method.
nlohmann::json result_of(Job& job, const train::TrainingState& progress, const std::vector<nlohmann::json>& lines,
                         const nlohmann::json& before);

std::string summary(const nlohmann::json& result);  ///< some lines to read

}  // namespace graft::cli
