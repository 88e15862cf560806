// Mutations of adapter_config.json for every type of adapter, beside weights that are as they were. What is refused leaves the
// model as it was; what loads comes off again.
#include <filesystem>

#include "peft/adapter_file.h"
#include "tests/fuzz/mutate.h"
#include "tests/nn/fixture.h"

namespace {

namespace fs = std::filesystem;
using namespace graft;

struct Case {
  const char *adapter, *base;
};
const std::vector<Case>& adapters() {
  static const std::vector<Case> all{
      {"adapter_configs/alpha_regex", "llama"}, {"adapter_configs/unsloth", "llama"}, {"adapter_configs/pissa_patterns", "llama"},
      {"adapter_configs/layers_head", "llama"}, {"adapter_configs/rank_gpt2", "gpt2"}, {"adapter_configs/ia3_regex", "llama"},
      {"peft/lora_gpt2_table", "gpt2"},         {"peft/prefix_gpt2", "gpt2"},          {"peft/prompt_llama", "llama"},
      {"peft/ptuning_lstm_gpt2", "gpt2"},       {"adapterhub/par_bn_gpt2", "gpt2"}};
  return all;
}

class AdapterFuzz : public testing::TestWithParam<Case> {};

TEST_P(AdapterFuzz, Config) {
  const fs::path from = fs::path(here::fixtures()) / GetParam().adapter;
  const fs::path folder = fs::path(testing::TempDir()) / ("graft_fuzz_" + from.filename().string());
  fs::remove_all(folder);
  fs::create_directories(folder);
  for (const char* weights : {"adapter_model.safetensors", "adapter.safetensors"})
    if (fs::exists(from / weights)) fs::copy_file(from / weights, folder / weights);
  const auto config = [](const fs::path& of) { return fixture::json_of((of / "adapter_config.json").string()).dump(); };
  std::vector<std::string> corpus(8, config(from));
  corpus.insert(corpus.end(), 16, fixture::json_of((from / "adapter_config.json").string()).dump(40));  // with room to change
  for (const Case& other : adapters()) corpus.push_back(config(fs::path(here::fixtures()) / other.adapter));
  const fixture::Built base = fixture::build(GetParam().base);
  const peft::BaseModel whole(*base.model);
  peft::detach(whole, peft::load_adapter(whole, from.string()));  // what is made once is made now
  fuzz::run(corpus, (folder / "adapter_config.json").string(), fuzz::cases(400), 64, 800, [&](const std::string&) {
    ASSERT_TRUE(peft::names(whole).empty());
    peft::detach(whole, peft::load_adapter(whole, folder.string()));
  });
  fs::remove_all(folder);
}

INSTANTIATE_TEST_SUITE_P(All, AdapterFuzz, testing::ValuesIn(adapters()), [](const auto& c) {
  return fs::path(c.param.adapter).filename().string();
});

}  // namespace
