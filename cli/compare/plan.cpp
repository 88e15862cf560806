#include "cli/compare/plan.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <set>

#include "autograd/errors.h"
#include "autograd/threads.h"
#include "cli/compare/children.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/report/report.h"
#include "cli/tune/method_choice.h"
#include "formats/file.h"

namespace graft::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string id_of(const PlannedRun& run) { return run.id.empty() ? run.method : run.id; }
std::string title_of(const PlannedRun& run) { return run.title.empty() ? method_kind(run.method).title : run.title; }

json read_json(const fs::path& file) {
  if (!fs::exists(file)) return json::object();
  const json value = json::parse(formats::read_text(file.string()), nullptr, false);
  return value.is_object() ? value : json::object();
}

/// Options as run.json keeps them, {"r": ["8"]}, of {"r": 8}: to see whether a run is the one that is asked for.
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

/// One training: its folder, and what it says of itself.
struct Run {
  const PlannedRun* plan;
  fs::path folder;
  json options;  // all of them
  Index steps = 0, done = 0;
  bool running = false;
  std::string error;

  std::string name() const {
    return plan->task + "  " + title_of(*plan) + (plan->seed == 1 ? "" : text(", seed ", plan->seed));
  }
  bool complete() const {
    return fs::exists(folder / "result.json") && read_json(folder / "run.json").value("options", json()) == as_words(options);
  }
};

Child child_of(Run& run, const Comparison& comparison, Progress& live) {
  Child child;
  child.arguments = {"--threads", std::to_string(comparison.threads), "tune"};
  const json before = read_json(run.folder / "run.json");
  const bool same =
      before.value("options", json()) == as_words(run.options) && before.value("threads", 0) == comparison.threads;
  if (same) {
    child.arguments.insert(child.arguments.end(), {"--resume", run.folder.string()});
  } else {
    const std::string config = run.folder.string() + ".json";
    json options = run.options;
    options.erase("out");
    formats::write_text(config, options.dump(1) + "\n");
    child.arguments.insert(child.arguments.end(), {"--config", config, "--out", run.folder.string(), "--force"});
  }
  child.log = run.folder.string() + ".log";
  child.started = [&run] { run.running = true, fs::remove(run.folder.string() + ".log"); };
  child.ended = [&run, &live](int code, double seconds) {
    run.running = false, run.done = run.steps;
    if (code != 0) {
      run.error = last_line(run.folder.string() + ".log");
      if (run.error.rfind("graft: ", 0) == 0) run.error = run.error.substr(7);
      if (run.error.empty()) run.error = text("ended with code ", code);
      if (CatchSignals::caught() == 0) live.say(run.name() + "  failed: " + run.error);
      return;
    }
    const json result = read_json(run.folder / "result.json");
    const std::string score = result.contains("score") ? text("  ", result["score_name"].get<std::string>(), " ",
                                                              digits(result["score"].get<double>()))
                                                       : "";
    live.say(run.name() + score + "  " + short_time(seconds));
  };
  return child;
}

/// "review  LoRA 120/300" of those that run; also counts their steps.
std::string watch(std::vector<Run>& runs) {
  std::string all;
  for (Run& run : runs) {
    if (!run.running) continue;
    const json line = json::parse(last_line((run.folder / "metrics.jsonl").string()), nullptr, false);
    if (line.is_object() && line.contains("step")) run.done = line["step"].get<Index>();
    all += text("   ", run.plan->task, " ", title_of(*run.plan), " ", run.done, run.steps > 0 ? text("/", run.steps) : "");
  }
  return all;
}

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

json assemble(const Comparison& comparison, const std::vector<Run>& runs) {
  json report{{"title", comparison.title},
              {"made", now()},
              {"command", comparison.command},
              {"machine", text(processor(), ", ", comparison.jobs, comparison.jobs == 1 ? " training" : " trainings",
                               " at a time with ", comparison.threads, comparison.threads == 1 ? " thread" : " threads")},
              {"tasks", json::array()}};
  std::set<std::uint64_t> seeds;
  for (const PlannedTask& planned : comparison.tasks) {
    json task{{"id", planned.id}, {"title", planned.title}, {"runs", json::array()}};
    if (!planned.note.empty()) task["note"] = planned.note;
    std::vector<std::string> order;
    std::map<std::string, std::vector<const Run*>> by_id;
    for (const Run& run : runs)
      if (run.plan->task == planned.id) {
        if (by_id[id_of(*run.plan)].empty()) order.push_back(id_of(*run.plan));
        by_id[id_of(*run.plan)].push_back(&run);
      }
    for (const std::string& id : order) {
      const Run& first = *by_id[id].front();
      json row{{"id", id}, {"method", title_of(*first.plan)}, {"page", method_kind(first.plan->method).page}};
      if (!first.plan->absent.empty()) {
        row["absent"] = first.plan->absent;
        task["runs"].push_back(row);
        continue;
      }
      std::vector<double> scores;
      for (const Run* run : by_id[id]) {
        const json result = read_json(run->folder / "result.json");
        if (result.empty()) continue;
        seeds.insert(run->plan->seed);
        if (scores.empty()) {
          if (!report.contains("base") && result.contains("base")) report["base"] = result["base"];
          json details = result;
          details.erase("base");
          details.erase("id"), details.erase("method"), details.erase("predicted"), details.erase("texts");
          row.update(details);
          for (const char* key : {"score_name", "higher_is_better", "labels", "majority"})
            if (result.contains(key) && !result[key].empty()) task[key] = result[key];
          if (result.contains("untuned") && result["untuned"].is_number()) task["untuned"] = result["untuned"];
          task["kind"] = result.value("kind", "") == "labelled texts" ? "classification"
                         : result.value("kind", "") == "text"         ? "language"
                                                                      : "generation";
        }
        if (result.contains("score")) scores.push_back(result["score"].get<double>());
      }
      if (!scores.empty()) {
        row["scores"] = scores, row["score"] = mean(scores);
        if (scores.size() > 1) row["spread"] = deviation(scores);
      } else if (!row.contains("steps")) {
        row["absent"] = first.error.empty() ? "not made" : "failed: " + first.error;
      }
      task["runs"].push_back(row);
    }
    report["tasks"].push_back(task);
  }
  report["seeds"] = seeds;
  return report;
}

}  // namespace

json carry_out(const Comparison& comparison, const Globals& globals) {
  const fs::path folder = fs::absolute(comparison.out) / "runs";
  std::error_code error;
  fs::create_directories(folder, error);
  expect<FileError>(!error, "--out: cannot make the folder ", folder.string(), ": ", error.message());

  std::vector<Run> runs;
  for (const PlannedRun& plan : comparison.runs) {
    Run run{&plan, folder / text(plan.task, "-", id_of(plan), "-", plan.seed), plan.options, 0, 0, false, ""};
    run.options["method"] = plan.method, run.options["seed"] = plan.seed, run.options["out"] = run.folder.string();
    if (plan.options.contains("steps")) run.steps = std::stol(as_words(plan.options)["steps"][0].get<std::string>());
    runs.push_back(std::move(run));
  }
  Index all_steps = 0, made_before = 0;
  std::vector<Child> children;
  Progress live("", 0, globals.quiet);
  const CatchSignals signals{SIGINT, SIGTERM, SIGHUP};
  for (Run& run : runs) {
    if (!run.plan->absent.empty()) continue;
    all_steps += run.steps;
    if (run.complete()) {
      run.done = run.steps, made_before += run.steps;
      continue;
    }
    children.push_back(child_of(run, comparison, live));
  }
  const auto began = std::chrono::steady_clock::now();
  run_children(children, comparison.jobs, [&] {
    const std::string news = watch(runs);
    Index done = 0;
    for (const Run& run : runs) done += run.done;
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    const double left =
        done > made_before ? seconds * static_cast<double>(all_steps - done) / static_cast<double>(done - made_before) : 0;
    live.keep(text(all_steps > 0 ? 100 * done / all_steps : 0, " %", left > 0 ? ", " + short_time(left) + " left" : "", news));
  });
  if (CatchSignals::caught()) {
    live.say("stopped; the same command goes on");
    throw Interrupted{CatchSignals::caught()};
  }
  const json report = assemble(comparison, runs);
  formats::write_text((fs::path(comparison.out) / "report.json").string(),
                      report.dump(1, ' ', false, json::error_handler_t::replace));
  write_report(report, (fs::path(comparison.out) / "report.html").string());
  formats::write_text((fs::path(comparison.out) / "table.md").string(), tables(report, true));
  std::string failed;
  for (const Run& run : runs)
    if (!run.error.empty()) failed += (failed.empty() ? "" : "; ") + run.name() + ": " + run.error;
  if (!failed.empty()) {
    std::cout << tables(report, false) << std::flush;
    throw ValueError("some trainings failed: " + failed);
  }
  return report;
}

std::string tables(const json& report, bool markdown) {
  std::string all;
  for (const json& task : report["tasks"]) {
    const bool percent = task.value("score_name", "") == "accuracy";
    const auto score = [&](const json& x) {
      return x.is_number() ? digits(x.get<double>() * (percent ? 100 : 1), percent                                 ? 1
                                                                           : task.value("score_name", "") == "NLL" ? 3
                                                                                                                   : 1)
                           : std::string("–");
    };
    const std::string name = task.value("score_name", "score") + (percent ? " %" : "");
    std::vector<std::vector<std::string>> rows{{"method", "trained", "%", name, "s/step", "peak", "adapter", "inference"}};
    for (const json& run : task["runs"]) {
      if (run.contains("absent")) {
        rows.push_back({run["method"].get<std::string>(), "–", "–", "–", "–", "–", "–", "–"});
        continue;
      }
      const auto number = [&](const char* key) {
        return run.contains(key) && run[key].is_number() ? run[key].get<double>() : NAN;
      };
      const std::string spread = run.contains("spread") ? " ± " + score(run["spread"]) : "";
      rows.push_back({run["method"].get<std::string>(), digits(number("trainable"), 0), digits(100 * number("share"), 2),
                      (run.contains("score") ? score(run["score"]) : "–") + spread, digits(number("seconds_per_step"), 3),
                      short_bytes(run["peak"]["total"].get<double>()), short_bytes(number("adapter_bytes")),
                      run.contains("inference_extra")
                          ? (number("inference_extra") < 0 ? "+0 %" : "+" + digits(100 * number("inference_extra"), 0) + " %")
                          : "+0 %"});
    }
    std::string facts;
    if (task.contains("untuned")) facts += ", untuned " + score(task["untuned"]);
    if (task.contains("majority")) facts += ", majority " + score(task["majority"]);
    all += (markdown ? "### " : "\n") + task["title"].get<std::string>() + (facts.empty() ? "" : " (" + facts.substr(2) + ")") +
           "\n\n";
    if (markdown) {
      for (std::size_t r = 0; r < rows.size(); ++r) {
        all += "|";
        for (const std::string& cell : rows[r]) all += " " + cell + " |";
        all += "\n";
        if (r == 0) all += "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n";
      }
    } else {
      all += table(rows);
    }
    for (const json& run : task["runs"])
      if (run.contains("absent"))
        all += text(markdown ? "\n" : "  ", run["method"].get<std::string>(), ": ", run["absent"].get<std::string>(), "\n");
    all += "\n";
  }
  return all;
}

}  // namespace graft::cli
