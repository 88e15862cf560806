#include "cli/compare/runs.h"

#include <nlohmann/json.hpp>
#include <unistd.h>

#include <cstdlib>

#include "autograd/errors.h"
#include "cli/file_lock.h"
#include "cli/interrupt.h"
#include "cli/tune/manifest.h"
#include "cli/tune/settings.h"
#include "formats/file.h"
#include "tune/methods.h"

namespace graft::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// {"r": 8} as run.json keeps it, {"r": ["8"]}: to check whether a run in a folder has the wanted options.
json as_words(const json& options) {
  json all = json::object();
  const auto word = [](const json& v) { return v.is_string() ? v.get<std::string>() : v.dump(); };
  for (const auto& [key, value] : options.items()) {
    json words = json::array();
    if (value.is_array())
      for (const json& v : value) words.push_back(word(v));
    else words.push_back(word(value));
    all[key] = words;
  }
  return all;
}

/// A training whose comparison was killed ends after its current step; until then it holds the folder.
void wait_for_orphan(const fs::path& folder) {
  if (!fs::exists(folder)) return;
  FileLock lock((folder / ".lock").string());
  for (int i = 0; i < 600 && CatchSignals::caught() == 0 && !lock.try_take(); ++i) usleep(100000);
}

}  // namespace

std::string id_of(const PlannedRun& run) { return run.id.empty() ? run.method : run.id; }
std::string title_of(const PlannedRun& run) { return run.title.empty() ? peft::method_row(run.method).title : run.title; }

std::string Run::name() const {
  return plan->task + "  " + title_of(*plan) + (plan->seed == 1 ? "" : text(", seed ", plan->seed));
}
json Run::result() const {
  if (!fs::exists(folder / "result.json")) return json::object();
  const json value = json::parse(formats::read_text((folder / "result.json").string()), nullptr, false);
  return value.is_object() ? value : json::object();
}
std::optional<int> Run::begun() const {
  const std::optional<Manifest> then = tune::read_run((folder / "run.json").string());
  if (!then || then->options != as_words(options)) return {};
  std::vector<std::string> files;
  for (const auto& [file, mark] : then->data.items()) files.push_back(file);
  if (then->data != marks_of(files)) return {};
  return then->threads;
}
bool Run::complete() const { return begun() && !result().empty(); }

std::vector<Run> runs_of(const Comparison& comparison, const fs::path& folder) {
  std::vector<Run> runs;
  for (const PlannedRun& plan : comparison.runs) {
    Run run;
    run.plan = &plan, run.folder = folder / text(plan.task, "-", id_of(plan), "-", plan.seed), run.options = plan.options;
    run.options["method"] = plan.method, run.options["seed"] = plan.seed, run.options["out"] = run.folder.string();
    const json words = as_words(plan.options);
    const auto number = [&](const char* option, double otherwise) {  // graft tune rejects what is not a number
      return words.contains(option) ? std::strtod(words[option][0].get<std::string>().c_str(), nullptr) : otherwise;
    };
    const Settings usual;
    const double steps = number("steps", 0);
    run.steps = steps >= 0 && steps < 1e15 ? static_cast<Index>(steps) : 0;
    run.work = number("batch", static_cast<double>(usual.batch)) * number("accumulate", static_cast<double>(usual.accumulate)) *
               number("length", 45);
    if (plan.method == "ensemble") run.work *= number("prompts", 5);
    if (plan.method == "probe") run.work /= 3;  // no backward through the model
    runs.push_back(std::move(run));
  }
  return runs;
}

Child child_of(Run& run, const Comparison& comparison, ProgressLine& live) {
  Child child;
  if (const std::optional<int> threads = run.begun()) {  // as it began, to continue bit for bit
    child.arguments = {"--threads", std::to_string(*threads), "tune", "--resume", run.folder.string()};
  } else {
    if (fs::exists(run.folder / "run.json"))
      live.say(run.name() + "  starts again: its options, data or model have changed");
    const std::string config = run.folder.string() + ".json";
    json options = run.options;
    options.erase("out");
    formats::write_text(config, options.dump(1) + "\n");
    child.arguments = {
        "--threads", std::to_string(comparison.threads), "tune", "--config", config, "--out", run.folder.string(), "--force"};
  }
  child.log = run.folder.string() + ".log";
  child.started = [&run] {
    run.running = true, fs::remove(run.folder.string() + ".log");
    wait_for_orphan(run.folder);
  };
  child.ended = [&run, &live](int code, double seconds) {
    run.running = false, run.done = run.steps;
    if (code != 0) {
      const std::string last = last_line(run.folder.string() + ".log");
      run.error = last.rfind("graft: ", 0) == 0 ? last.substr(7)
                  : code > 128                  ? text("ended by signal ", code - 128)
                                                : text("ended with code ", code);
      if (CatchSignals::caught() == 0) live.say(run.name() + "  failed: " + run.error);
      return;
    }
    const json result = run.result();
    const std::string score = result.contains("score") ? text("  ", result["score_name"].get<std::string>(), " ",
                                                              digits(result["score"].get<double>()))
                                                       : "";
    live.say(run.name() + score + "  " + short_time(seconds));
  };
  return child;
}

std::string watch(std::vector<Run>& runs) {
  std::string all;
  for (Run& run : runs) {
    if (!run.running) continue;
    const json line = json::parse(last_line((run.folder / "metrics.jsonl").string()), nullptr, false);
    if (line.is_object() && line.contains("step")) run.done = line["step"].get<Index>();
    all += text("   ", run.plan->task, " ", title_of(*run.plan), " ", run.done, run.steps > 0 ? text("/", run.steps) : "",
                run.steps > 0 && run.done == run.steps ? ", being scored" : "");
  }
  return all;
}

}  // namespace graft::cli
