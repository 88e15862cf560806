#include "cli/compare/assemble.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "autograd/errors.h"
#include "tune/methods.h"

namespace graft::cli {
namespace {

using nlohmann::json;

double mean(const std::vector<double>& all) {
  double sum = 0;
  for (const double x : all) sum += x;
  return sum / static_cast<double>(all.size());
}
double deviation(const std::vector<double>& all) {
  double sum = 0;
  for (const double x : all) sum += (x - mean(all)) * (x - mean(all));
  return std::sqrt(sum / static_cast<double>(all.size() - 1));
}

std::string now() {
  const std::time_t t = std::time(nullptr);
  char line[40];
  std::tm when{};
  localtime_r(&t, &when);
  std::strftime(line, sizeof line, "%Y-%m-%d %H:%M", &when);
  return line;
}

std::string processor() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  return "unknown processor";
}

/// Copies the details of a method's first result: about the method to its row, about the task and the base to theirs.
void take_details(const json& result, json& row, json& task, json& report) {
  if (!report.contains("base") && result.contains("base")) report["base"] = result["base"];
  json details = result;
  for (const char* elsewhere : {"base", "id", "method", "predicted", "texts"}) details.erase(elsewhere);
  row.update(details);
  for (const char* key : {"score_name", "higher_is_better", "labels", "majority"})
    if (result.contains(key) && !result[key].empty()) task[key] = result[key];
  if (result.contains("untuned") && result["untuned"].is_number()) task["untuned"] = result["untuned"];
  const std::string kind = result.value("kind", "");
  task["kind"] = kind == "labelled texts" ? "classification" : kind == "text" ? "language" : "generation";
}

/// A method's row: one run per seed.
json row_of(const std::vector<const Run*>& runs, json& task, json& report) {
  const Run& first = *runs.front();
  json row{{"id", id_of(*first.plan)}, {"method", title_of(*first.plan)}, {"page", peft::method_row(first.plan->method).page}};
  if (!first.plan->absent.empty()) {
    row["absent"] = first.plan->absent;
    return row;
  }
  std::vector<double> scores;
  bool made = false;
  for (const Run* run : runs) {
    const json result = run->error.empty() ? run->result() : json::object();  // a failed run may have left an older result
    if (result.empty()) continue;
    report["seeds"].push_back(run->plan->seed);
    if (!made) take_details(result, row, task, report);
    made = true;
    if (result.contains("score")) scores.push_back(result["score"].get<double>());
  }
  if (!made) row["absent"] = first.error.empty() ? "not made" : "failed: " + first.error;
  if (scores.empty()) return row;
  row["scores"] = scores, row["score"] = mean(scores);
  if (scores.size() > 1) row["spread"] = deviation(scores);
  return row;
}

}  // namespace

json assemble(const Comparison& comparison, const std::vector<Run>& runs) {
  json report{{"title", comparison.title},
              {"made", now()},
              {"command", comparison.command},
              {"machine", text(processor(), ", ", comparison.jobs, comparison.jobs == 1 ? " training" : " trainings",
                               " at a time with ", comparison.threads, comparison.threads == 1 ? " thread" : " threads")},
              {"tasks", json::array()},
              {"seeds", json::array()}};
  for (const PlannedTask& planned : comparison.tasks) {
    json task{{"id", planned.id}, {"title", planned.title}, {"runs", json::array()}};
    if (!planned.note.empty()) task["note"] = planned.note;
    std::vector<std::vector<const Run*>> methods;  // in the order of the plan
    for (const Run& run : runs) {
      if (run.plan->task != planned.id) continue;
      const auto same = [&](const auto& others) { return id_of(*others[0]->plan) == id_of(*run.plan); };
      const auto found = std::find_if(methods.begin(), methods.end(), same);
      if (found == methods.end()) methods.push_back({&run});
      else found->push_back(&run);
    }
    for (const auto& of_one : methods) task["runs"].push_back(row_of(of_one, task, report));
    report["tasks"].push_back(task);
  }
  report["seeds"] = report["seeds"].get<std::set<std::uint64_t>>();  // without duplicates
  return report;
}

}  // namespace graft::cli
