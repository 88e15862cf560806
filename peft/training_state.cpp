#include "peft/training_state.h"

#include <cstdlib>

#include "peft/inside/adapter_parts.h"

namespace graft::peft {
namespace {
const std::string parameter = "parameter.", optimizer_key = "optimizer.";
}

void save_training_state(const Host& host, const std::string& name, const std::map<std::string, Tensor>& optimizer,
                         const Rng& rng, const std::string& file) {
  const auto mine = parameters(host, name);
  expect<ValueError>(!mine.empty(), "save_training_state: nothing is attached as \"", name, "\"");
  Named_tensors all;
  for (const auto& named : mine) all[parameter + named.first] = named.second->own().value();
  for (const auto& entry : optimizer) all[optimizer_key + entry.first] = entry.second;
  const Rng::State state = rng.state();
  write_tensors(file, all,
                {{"format", "graft training state"},
                 {"rng_seed", std::to_string(state.seed)},
                 {"rng_drawn", std::to_string(state.drawn)},
                 {"name", name}});
}

TrainingState load_training_state(const Host& host, const std::string& name, const std::string& file) {
  Keys keys(file);
  const auto number = [&](const char* key) {
    const auto found = keys.metadata().find(key);
    char* end = nullptr;
    const unsigned long long n = found == keys.metadata().end() ? 0 : std::strtoull(found->second.c_str(), &end, 10);
    expect<FormatError>(end != nullptr && *end == '\0', file, ": the metadata have no number \"", key,
                        "\"; this is no training state");
    return static_cast<std::uint64_t>(n);
  };
  TrainingState state{{}, Rng(Rng::State{number("rng_seed"), number("rng_drawn")})};
  std::vector<std::pair<Param*, Tensor>> found;
  for (const auto& named : parameters(host, name))
    found.emplace_back(named.second, keys.take(parameter + named.first, named.second->shape(), "the parameter"));
  for (const std::string& key : keys.left())
    if (key.rfind(optimizer_key, 0) == 0) state.optimizer[key.substr(optimizer_key.size())] = keys.take(key, "the optimizer");
  keys.expect_all_taken();
  for (auto& entry : found) entry.first->give(entry.second);
  return state;
}

}  // namespace graft::peft
