// The trainings of a comparison, each with its own folder and process.
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
  nlohmann::json options;  ///< the complete options
  Index steps = 0, done = 0;
  double work = 1;  ///< of a step: about how many tokens it trains on; without --length, 45 per row are assumed
  bool running = false;
  std::string error;

  std::string name() const;
  /// The number of threads that the run in its folder began with, if it has these options and data and model are unchanged.
  /// Errors: FileError if they are missing.
  std::optional<int> begun() const;
  bool complete() const;          ///< begun and finished: it is not repeated
  nlohmann::json result() const;  ///< {} if there is none
};
std::string id_of(const PlannedRun& run);
std::string title_of(const PlannedRun& run);

std::vector<Run> runs_of(const Comparison& comparison, const std::filesystem::path& folder);
/// The process that makes or continues a run. Both run and live must outlive it.
Child child_of(Run& run, const Comparison& comparison, ProgressLine& live);
/// "review  LoRA 120/300" for each one that is running; also updates their step counts.
std::string watch(std::vector<Run>& runs);

}  // namespace graft::cli
