// Several trainings and what came of them, side by side: the work of graft compare, graft demo and graft real. Each training is a
// process of its own (`graft tune`), so that memory is counted for each and one that fails takes no other with it.
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
  std::string absent;      ///< why this method has no run here; nothing else then
  nlohmann::json options;  ///< of graft tune, but for out: {"steps": 300, "targets": ["q", "v"], ...}
  std::uint64_t seed = 1;
};

struct PlannedTask {
  std::string id, title, note;
};

struct Comparison {
  std::string title, command, out;
  std::vector<PlannedTask> tasks;
  std::vector<PlannedRun> runs;
  int jobs = 2;     ///< trainings at once
  int threads = 1;  ///< of each
};

/// Carries all runs out, or goes on where it was stopped: runs that are complete in `out` are not made again. Writes
/// out/report.json, report.html and table.md. Ctrl-C lets the trainings save themselves first.
/// Errors: FileError; ValueError if a training failed (the others are made nevertheless); Interrupted
nlohmann::json run_all(const Comparison& comparison, const Globals& globals);

/// One table per task, for a terminal or in Markdown.
std::string tables(const nlohmann::json& report, bool markdown);

/// Of each classifier in a task of a report which classes it took for which: rows are what is right, columns what was said.
std::string confusions(const nlohmann::json& task);

}  // namespace graft::cli
