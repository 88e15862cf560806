#include "cli/demo/recipes.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "autograd/threads.h"

namespace graft::cli {
namespace {

using nlohmann::json;

struct Recipe {
  const char* method;
  json options;
};

const json everywhere{"q", "k", "v", "out", "up", "down"};

const std::vector<Recipe>& writing() {
  static const std::vector<Recipe> all{
      {"full", {{"rate", 1e-3}, {"steps", 200}}},
      {"lora", {{"r", 8}, {"alpha", 16}, {"targets", everywhere}, {"rate", 5e-3}, {"steps", 250}}},
      {"qlora", {{"r", 8}, {"alpha", 16}, {"targets", everywhere}, {"rate", 5e-3}, {"steps", 250}}},
      {"adapter", {{"bottleneck", 16}, {"rate", 1e-2}, {"steps", 400}}},
      {"prefix", {{"virtual", 10}, {"hidden", 128}, {"rate", 5e-3}, {"steps", 600}}},
      {"prompt", {{"virtual", 40}, {"rate", 6e-2}, {"steps", 1000}}},
      {"ensemble", {{"virtual", 20}, {"prompts", 3}, {"rate", 6e-2}, {"steps", 700}}},
  };
  return all;
}

const std::vector<Recipe>& judging() {
  // Words that the base uses in a similar place: how people feel when they liked everything or nothing, and "… did not know".
  const json words{"good=happy", "bad=sad", "mixed=not"};
  static const std::vector<Recipe> all{
      {"full", {{"rate", 5e-4}, {"steps", 200}}},
      {"probe", {{"rate", 3e-2}, {"steps", 1000}}},
      {"lora", {{"r", 8}, {"alpha", 16}, {"rate", 5e-3}, {"steps", 400}}},
      {"qlora", {{"r", 8}, {"alpha", 16}, {"rate", 5e-3}, {"steps", 400}}},
      {"adapter", {{"bottleneck", 16}, {"rate", 1e-2}, {"steps", 500}}},
      {"prefix", {{"virtual", 10}, {"hidden", 128}, {"rate", 2e-3}, {"steps", 700}}},
      {"prompt", {{"virtual", 20}, {"rate", 3e-2}, {"steps", 800}}},
      {"ensemble", {{"virtual", 20}, {"prompts", 3}, {"rate", 3e-2}, {"steps", 600}}},
      {"p-tuning",
       {{"template", "[v]*8 {sentence} [v]*8 [answer]"},
        {"encoder", "mlp"},
        {"words", words},
        {"rate", 2e-3},
        {"steps", 1000}}},
      {"p-tuning-v2", {{"virtual", 10}, {"rate", 5e-2}, {"steps", 700}}},
  };
  return all;
}

}  // namespace

Comparison demo_comparison(const std::string& base, const std::string& tasks, const std::string& out,
                           const DemoSize& size, int seeds, Index most_steps) {
  Comparison comparison;
  comparison.title = "The notes' seven methods, and three yardsticks, on one small GPT";
  comparison.command = "graft demo --size " + size.name + (seeds == 1 ? "" : " --seeds " + std::to_string(seeds));
  comparison.out = out;
  comparison.jobs = std::min(2, threads());
  comparison.tasks = {
      {"describe", "Write a sentence from a table", "The base has only read stories; it has never seen a table."},
      {"review", "Judge a review: good, bad or mixed", "Two opinions make one verdict."}};
  const auto add = [&](const char* task, const Recipe& recipe, std::uint64_t seed) {
    json options{{"model", base},
                 {"data", tasks + "/" + task + ".train.jsonl"},
                 {"test", tasks + "/" + task + ".held.jsonl"},  // the best step is chosen with a tenth of the data
                 {"batch", 16},
                 {"warmup", 0.05},
                 {"score", 500},  // all of them
                 {"samples", 4}};
    options.update(recipe.options);
    if (options.contains("virtual")) options["virtual"] = std::min(size.most_virtual, options["virtual"].get<Index>());
    options["rate"] = size.rate * options["rate"].get<double>();
    options["steps"] = static_cast<Index>(std::lround(size.share * options["steps"].get<double>()));
    if (most_steps > 0) {  // a quick look
      options["steps"] = std::min(most_steps, options["steps"].get<Index>());
      options["score"] = 16, options["split"] = 0.02;
    }
    options["evaluate-every"] = std::max(1, options["steps"].get<int>() / 4);
    comparison.runs.push_back({task, recipe.method, "", "", "", options, seed});
  };
  const auto absent = [&](const char* method, const char* why) {
    comparison.runs.push_back({"describe", method, "", "", why, {}, 1});
  };
  for (int seed = 1; seed <= seeds; ++seed) {
    for (const Recipe& recipe : writing()) add("describe", recipe, static_cast<std::uint64_t>(seed));
    for (const Recipe& recipe : judging()) add("review", recipe, static_cast<std::uint64_t>(seed));
  }
  absent("probe", "a trained head answers with a class, not with a sentence");
  absent("p-tuning", "made for classification: it answers with one label word");
  absent("p-tuning-v2", "made for classification; for generation it is prefix tuning");
  return comparison;
}

}  // namespace graft::cli
