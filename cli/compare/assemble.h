// The results of the trainings as one report.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "cli/compare/runs.h"

namespace graft::cli {

/// The report of report/data.md: for each method the details of its first seed, all scores, their mean and deviation.
nlohmann::json assemble(const Comparison& comparison, const std::vector<Run>& runs);

}  // namespace graft::cli
