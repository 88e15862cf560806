// What came of the trainings, as one report.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "cli/compare/runs.h"

namespace graft::cli {

/// The report of report/data.md: of each method the details of its first seed, the scores of all, their mean and deviation.
nlohmann::json assemble(const Comparison& comparison, const std::vector<Run>& runs);

}  // namespace graft::cli
