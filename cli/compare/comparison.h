// Several trainings and their results, side by side: the work of graft compare, graft demo and graft real. Each training is a
// separate process (`graft tune`), so that memory is measured for each and a failure affects no other.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/commands.h"

namespace graft::cli {

struct PlannedRun {
  std::string task;        ///< the id of its task
  std::string method, id;  ///< of peft::methods(); id tells two variants of a method apart, as title does (empty: the method's)
  std::string title;
  std::string absent;      ///< why this method has no run here; then all else is empty
  nlohmann::json options;  ///< of graft tune, except out: {"steps": 300, "targets": ["q", "v"], ...}
  std::uint64_t seed = 1;
};

struct PlannedTask {
  std::string id, title, note;
};

struct Comparison {
  std::string title, command, out;
  std::vector<PlannedTask> tasks;
  std::vector<PlannedRun> runs;
  int jobs = 2;     ///< trainings at the same time
  int threads = 1;  ///< of each
};

/// Makes all runs, or continues where it was stopped: runs that are complete in `out` are not repeated. Writes
/// out/report.json, report.html and table.md. On Ctrl-C the trainings save their state first.
/// Errors: FileError; ValueError if a training failed (the others still run); Interrupted
nlohmann::json run_all(const Comparison& comparison, const Globals& globals);

/// One table per task, for a terminal or in Markdown.
std::string tables(const nlohmann::json& report, bool markdown);

/// The confusion matrix of each classifier in a task of a report: rows are the true classes, columns the predicted ones.
std::string confusions(const nlohmann::json& task);

}  // namespace graft::cli
