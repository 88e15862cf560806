// The trainings of a comparison: one folder and one process each.
#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/compare/children.h"
#include "cli/compare/comparison.h"
#include "cli/progress.h"

namespace graft::cli {

struct Run {
  const PlannedRun* plan = nullptr;
  std::filesystem::path folder;
  nlohmann::json options;  ///< all of them
  Index steps = 0, done = 0;
  double work = 1;  ///< of a step: about so many tokens are trained on; where --length does not say, 45 a row are supposed
  bool running = false;
  std::string error;

  std::string name() const;
  /// With how many threads the run in its folder began, if that has these options, and data and model are as they were then.
  /// Errors: FileError if they are missing.
  std::optional<int> begun() const;
  bool complete() const;          ///< begun, and done: it is not made again
  nlohmann::json result() const;  ///< {} if there is none
};
std::string id_of(const PlannedRun& run);
std::string title_of(const PlannedRun& run);

std::vector<Run> runs_of(const Comparison& comparison, const std::filesystem::path& folder);
/// The process that makes a run, or goes on with it. Both run and live must outlive it.
Child child_of(Run& run, const Comparison& comparison, ProgressLine& live);
/// "review  LoRA 120/300" of those that run; also counts their steps.
std::string watch(std::vector<Run>& runs);

}  // namespace graft::cli
