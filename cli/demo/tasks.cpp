#include "cli/demo/tasks.h"

#include <nlohmann/json.hpp>
#include <set>

#include "autograd/rng.h"
#include "cli/demo/world.h"
#include "cli/tune/folder.h"
#include "formats/file.h"

namespace graft::cli {
namespace {

using nlohmann::json;

json sentence(Rng& rng) {
  const Description d = description(rng);
  return {{"prompt", d.table}, {"completion", d.sentence}};
}
json opinion(Rng& rng) {
  const Review r = review(rng);
  return {{"text", r.text}, {"label", r.label}};
}

}  // namespace

void write_tasks(const std::string& folder) {
  make_folder(folder);
  std::set<std::string> seen;
  const auto write = [&](const std::string& name, int count, json (*make)(Rng&), Rng& rng) {
    std::string lines;
    for (int i = 0; i < count;) {
      const std::string one = make(rng).dump();
      if (!seen.insert(one).second) continue;
      lines += one + "\n";
      ++i;
    }
    formats::write_text(folder + "/" + name, lines);
  };
  // The recipes were chosen with the draws that follow those for training, so the scores use draws from another seed.
  Rng learned(11), held(12);
  write("describe.train.jsonl", 2000, sentence, learned);
  write("review.train.jsonl", 2000, opinion, learned);
  write("describe.held.jsonl", 200, sentence, held);
  write("review.held.jsonl", 500, opinion, held);
}

}  // namespace graft::cli
