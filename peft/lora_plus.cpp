#include "peft/lora_plus.h"

namespace graft::peft {

std::vector<RateGroup> lora_plus(const BaseModel& base, const std::string& name, real ratio) {
  expect<ValueError>(ratio >= 1, "LoRA+: the ratio is ", ratio, ", but B must not learn slower than A; take 1 or more");
  std::vector<RateGroup> groups{{{}, 1}, {{}, ratio}};
  for (const auto& named : parameters(base, name)) {
    const bool fast = named.second->word() == "lora_B" || named.second->shape().rank() == 1;
    groups[fast].parameters.push_back(named.second);
  }
  return groups;
}

}  // namespace graft::peft
