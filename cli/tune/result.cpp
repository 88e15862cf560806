#include "cli/tune/result.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "autograd/ledger.h"
#include "autograd/sizes.h"
#include "cli/progress.h"
#include "cli/tune/answers.h"
#include "peft/adapter_file.h"

namespace graft::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

json numbers(const std::vector<json>& lines, const char* key) {
  json all = json::array();
  for (const json& line : lines)
    if (line.contains(key)) all.push_back(line[key]);
  return all;
}

json curve(const std::vector<json>& lines, const char* key) {
  json steps = json::array();
  for (const json& line : lines)
    if (line.contains(key)) steps.push_back(line["step"]);
  return {{"step", steps}, {"loss", numbers(lines, key)}};
}

double median(std::vector<double> all) {
  if (all.empty()) return 0;
  std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2), all.end());
  return all[all.size() / 2];
}

}  // namespace

json peaks() {
  const Ledger l = ledger();
  const auto of = [&](Category c) { return nth(l.peak, c); };
  return {{"frozen", of(Category::frozen)},      {"parameters", of(Category::trainable)},
          {"gradients", of(Category::gradient)}, {"optimizer", of(Category::optimizer)},
          {"activations", of(Category::saved)},  {"other", of(Category::temporary)},
          {"mapped", of(Category::mapped)},      {"total", l.total_peak}};
}

std::uintmax_t save_result(Job& job, const Folder& folder) {
  std::uintmax_t bytes = 0;
  const auto saved = [&](const std::string& into, const auto& save) {
    std::set<fs::path> before;
    for (const auto& entry : fs::directory_iterator(into)) before.insert(entry.path());
    for (const char* own : {"adapter_model.safetensors", "adapter_config.json", "model.safetensors", "adapter.safetensors",
                            "model_head.safetensors", "head_config.json"})
      before.erase(fs::path(into) / own);
    save();
    for (const auto& entry : fs::directory_iterator(into))
      if (before.count(entry.path()) == 0 && entry.is_regular_file()) bytes += entry.file_size();
  };
  if (job.chosen.attached[0].method->in_place()) {
    saved(folder.path(), [&] { save_model(job.loaded, folder.path(), "F32", &job.tokenizer); });
    return bytes;
  }
  for (const peft::Attached& one : job.chosen.attached) {
    const std::string into = job.chosen.ensemble() ? folder.file(one.name) : folder.path();
    fs::create_directories(into);
    saved(into, [&] { peft::save_adapter(job.base(), one, into, job.settings.model); });
  }
  return bytes;
}

json result_of(Job& job, const train::TrainingState& progress, const std::vector<json>& lines, const json& before) {
  const peft::MethodRow& row = peft::method_row(job.settings.method.name);
  const Index all = job.loaded.root->count(false);
  Index trainable = 0;
  for (const auto& named : peft::learning(job.base())) trainable += named.second->numel();
  std::vector<double> seconds;
  for (const json& line : lines)
    if (line.contains("seconds")) seconds.push_back(line["seconds"]);
  json result{{"id", job.settings.method.name},
              {"method", row.title},
              {"page", row.page},
              {"trainable", trainable},
              {"share", static_cast<double>(trainable) / static_cast<double>(all)},
              {"seconds_per_step", median(seconds)},
              {"steps", progress.step},
              {"seed", job.settings.seed},
              {"kind", name(job.data().kind)},
              {"labels", job.data().labels},
              {"curve", curve(lines, "loss")},
              {"evaluations", curve(lines, "held_out_loss")}};
  result["base"] = {{"name", job.loaded.model->kind()},
                    {"parameters", job.chosen.attached[0].method->in_place() ? all : all - trainable},
                    {"context", job.loaded.model->context()},
                    {"vocabulary", job.loaded.model->vocabulary()}};
  if (progress.best_step >= 0) result["held_out_loss"] = progress.best;
  if (!job.eval_set().examples.empty()) {
    const Answers answers = answer(job, true);
    result.update(score(job, answers));
    result["untuned"] = before.value("score", json());
    result["samples"] = samples(job, answers, before, job.settings.samples);
    if (job.chosen.ensemble() && job.classes()) result["votes"] = votes(job, answers, job.settings.samples);
  }
  if (!job.chosen.attached[0].method->in_place()) {
    const auto [with, without] = inference(job);
    result["inference_extra"] = without > 0 ? with / without - 1 : 0;
  }
  result.update(insight(job));
  return result;
}

std::string summary(const json& result) {
  std::ostringstream out;
  if (result.contains("score")) {
    out << result["score_name"].get<std::string>() << "  " << digits(result["score"].get<double>());
    if (result["untuned"].is_number()) out << ", before " << digits(result["untuned"].get<double>());
    if (result.contains("majority")) out << ", majority " << digits(result["majority"].get<double>());
    if (result.contains("exact")) out << ", exactly right " << digits(100 * result["exact"].get<double>(), 1) << " %";
    out << "\n";
  }
  if (result.contains("held_out_loss")) out << "held-out loss  " << digits(result["held_out_loss"].get<double>()) << "\n";
  out << "trained  " << result["trainable"] << " numbers, " << result["steps"] << " steps of "
      << digits(result["seconds_per_step"].get<double>()) << " s, " << short_bytes(result["peak"]["total"].get<double>())
      << " of tensors at the peak\nadapter  " << short_bytes(result["adapter_bytes"].get<double>()) << "\n";
  return out.str();
}

}  // namespace graft::cli
