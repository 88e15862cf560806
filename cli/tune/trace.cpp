#include "cli/tune/trace.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "formats/file.h"
#include "peft/adapter_file.h"
#include "train/checkpoint.h"

namespace graft::cli {

using nlohmann::json;

void write_trace(Job& job, const std::string& into) {
  std::filesystem::create_directories(into);
  train::save_checkpoint(peft::learning(job.base()), {}, job.rng, into + "/start.safetensors");
  if (!job.chosen.attached[0].method->in_place() && !job.chosen.ensemble())
    peft::save_adapter(job.base(), job.chosen.attached[0], into, job.settings.model);
  const auto rows = [](const Ids& ids) {
    json all = json::array();
    const Index T = ids.shape()[1];
    for (Index b = 0; b < ids.shape()[0]; ++b) all.push_back(std::vector<Id>(ids.begin() + b * T, ids.begin() + (b + 1) * T));
    return all;
  };
  const auto line = [&](const Batch& f) {
    return json{{"ids", rows(f.ids)}, {"labels", rows(f.labels)}, {"lengths", f.lengths}, {"answers", f.answers}};
  };
  std::string batches, held;
  const train::Schedule schedule = job.plan().schedule;
  for (Index s = 0; s < job.steps(); ++s) {
    json parts = json::array();
    for (const Batch& part : job.task->batches(s)) parts.push_back(line(part));
    batches += json{{"step", s}, {"rate", schedule(s)}, {"parts", parts}}.dump() + "\n";
  }
  for (std::size_t i = 0; i < job.eval_set().examples.size(); ++i)
    held += line(train::batch(job.eval_set(), {static_cast<Index>(i)}, 0)).dump() + "\n";
  formats::write_text(into + "/batches.jsonl", batches);
  formats::write_text(into + "/held.jsonl", held);
}

}  // namespace graft::cli
