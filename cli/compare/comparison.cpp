#include "cli/compare/comparison.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "autograd/errors.h"
#include "cli/compare/assemble.h"
#include "cli/compare/runs.h"
#include "cli/interrupt.h"
#include "cli/pace.h"
#include "cli/report/report.h"
#include "cli/tune/folder.h"
#include "formats/file.h"

namespace graft::cli {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {
double work(const Run& run, Index steps) { return run.work * static_cast<double>(steps); }
}  // namespace

json run_all(const Comparison& comparison, const Globals& globals) {
  const Folder held(comparison.out, comparison.command);
  const fs::path folder = fs::absolute(held.file("runs"));
  for (const char* ours : {"report.json", "report.html", "table.md"})
    expect<ValueError>(fs::exists(folder) || !held.has(ours), "--out: ", held.file(ours), " is not a comparison's, and would be ",
                       "replaced; name another folder");
  make_folder(folder);

  std::vector<Run> runs = runs_of(comparison, folder);
  double all = 0;
  std::vector<Run*> to_make;
  ProgressLine live("", 0, globals.quiet);
  const CatchSignals signals{SIGINT, SIGTERM, SIGHUP};
  for (Run& run : runs) {
    if (!run.plan->absent.empty()) continue;
    all += work(run, run.steps);
    if (run.complete()) run.done = run.steps;
    else to_make.push_back(&run);
  }
  const auto longer = [](const Run* a, const Run* b) { return work(*a, a->steps) > work(*b, b->steps); };
  std::stable_sort(to_make.begin(), to_make.end(), longer);  // so that no long one runs alone at the end
  std::vector<Child> children;
  for (Run* run : to_make) children.push_back(child_of(*run, comparison, live));
  const auto began = std::chrono::steady_clock::now();
  Pace pace(all / 10);
  run_children(children, comparison.jobs, [&] {
    const std::string news = watch(runs);
    double done = 0;
    for (const Run& run : runs) done += work(run, run.done);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    pace.at(seconds, done);
    const double left = pace.each() * (all - done);
    live.keep(
        text(all > 0 ? static_cast<int>(100 * done / all) : 0, " %", left > 0 ? ", " + short_time(left) + " left" : "", news));
  });
  if (CatchSignals::caught()) {
    live.say("stopped; the same command continues");
    throw Interrupted{CatchSignals::caught()};
  }
  const json report = assemble(comparison, runs);
  write_json(held.file("report.json"), report);
  write_report(report, held.file("report.html"));
  formats::write_text(held.file("table.md"), tables(report, true));
  std::string failed;
  for (const Run& run : runs)
    if (!run.error.empty()) failed += (failed.empty() ? "" : "; ") + run.name() + ": " + run.error;
  if (!failed.empty()) {
    std::cout << tables(report, false) << std::flush;
    throw ValueError("some trainings failed: " + failed);
  }
  return report;
}

}  // namespace graft::cli
