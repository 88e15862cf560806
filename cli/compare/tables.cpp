// The tables of a report: methods with their costs, and confusion matrices.
#include <cmath>
#include <nlohmann/json.hpp>

#include "autograd/errors.h"
#include "cli/compare/comparison.h"
#include "cli/progress.h"

namespace graft::cli {

using nlohmann::json;

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
    std::vector<std::vector<std::string>> rows{
        {"method", "trained", "%", name, "s/step", "peak", "adapter", "inference, unmerged"}};
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

std::string confusions(const json& task) {
  std::string all;
  for (const json& run : task["runs"]) {
    if (!run.contains("confusion")) continue;
    std::vector<std::vector<std::string>> rows{{run["method"].get<std::string>()}};
    for (const json& label : task["labels"]) rows[0].push_back(label);
    for (std::size_t right = 0; right < task["labels"].size(); ++right) {
      rows.push_back({task["labels"][right]});
      for (const json& count : run["confusion"][right]) rows.back().push_back(count.dump());
    }
    all += table(rows) + "\n";
  }
  return all;
}

}  // namespace graft::cli
