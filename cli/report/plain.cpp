#include "cli/report/plain.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "autograd/real.h"
#include "autograd/text.h"
#include "show/picture.h"
#include "show/plot.h"
#include "show/table.h"

namespace graft::cli {
namespace {

using nlohmann::json;

const json& field(const json& data, const char* name) {
  static const json none;
  if (!data.is_object()) return none;
  const auto found = data.find(name);
  return found == data.end() ? none : *found;
}
std::string words(const json& data, const char* name) {
  const json& value = field(data, name);
  return value.is_string() ? value.get<std::string>() : "";
}
double number(const json& value) { return value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN(); }
std::string shown(double x) { return std::isfinite(x) ? show::number(x) : "–"; }
std::string whole(double x) { return x >= 0 && x < 1e15 ? grouped(static_cast<Index>(x)) : shown(x); }
std::string percent(double x) { return std::isfinite(x) ? show::number(std::round(x * 1e5) / 1e3) + " %" : "–"; }
std::string bytes(double x) { return x >= 0 && x < 1e18 ? show::bytes(static_cast<std::size_t>(x)) : "–"; }
std::string name_of(const json& run) { return words(run, "method").empty() ? words(run, "id") : words(run, "method"); }

std::string methods(const json& task) {
  const std::string score = words(task, "score_name").empty() ? "score" : words(task, "score_name");
  std::vector<show::Row> rows;
  std::string absent;
  for (const json& run : field(task, "runs")) {
    if (!run.is_object()) continue;
    if (const std::string why = words(run, "absent"); !why.empty()) {
      absent += (absent.empty() ? "Not run: " : "; ") + name_of(run) + " (" + why + ")";
      continue;
    }
    const double milliseconds = 1000 * number(field(run, "seconds_per_step"));
    rows.push_back({name_of(run), whole(number(field(run, "trainable"))), percent(number(field(run, "share"))),
                    shown(number(field(run, "score"))), shown(milliseconds),
                    bytes(number(field(field(run, "peak"), "total")))});
  }
  const show::Row header{"method", "trained", "share", score, "ms a step", "peak memory"};
  return (rows.empty() ? "" : show::table(header, rows).html) +
         (absent.empty() ? "" : "<p>" + show::escaped(absent) + "</p>\n");
}

/// Steps that do not ascend, and losses without a step, are left out.
std::string curves(const json& task) {
  std::vector<show::Curve> all;
  for (const json& run : field(task, "runs")) {
    const json& curve = field(run, "curve");
    const json &steps = field(curve, "step"), &losses = field(curve, "loss");
    if (!steps.is_array() || !losses.is_array()) continue;
    show::Curve one{name_of(run), {}, 1, {}};
    for (std::size_t i = 0; i < std::min(steps.size(), losses.size()); ++i) {
      const double x = number(steps[i]);
      if (!std::isfinite(x) || (!one.x.empty() && x < one.x.back())) continue;
      one.x.push_back(x);
      one.y.push_back(number(losses[i]));
    }
    if (!one.y.empty()) all.push_back(std::move(one));
  }
  show::Axes axes;
  axes.title = "Loss while training";
  return all.empty() ? "" : show::plot(all, axes).svg;
}

}  // namespace

std::string plain_report(const json& data) {
  std::string out;
  for (const json& task : field(data, "tasks")) {
    if (!task.is_object()) continue;
    const std::string title = words(task, "title").empty() ? words(task, "id") : words(task, "title");
    out += "<section><h2>" + show::escaped(title.empty() ? "Task" : title) + "</h2>\n" + methods(task) + curves(task) +
           "</section>\n";
  }
  return out;
}

}  // namespace graft::cli
