#include "tune/methods.h"

#include <map>

#include "peft/ensemble.h"

namespace graft::tune {

std::vector<std::string> Chosen::names() const { return peft::names_of(attached); }

Chosen attach(const peft::BaseModel& base, const MethodChoice& choice, const Tokenizer& tokenizer,
              const std::vector<std::string>& labels, Rng& rng) {
  const peft::MethodRow& row = peft::method_row(choice.name);
  peft::expect_options(row, choice.options);
  peft::OptionReader options(row.title, choice.options, &tokenizer, labels);
  const std::shared_ptr<const peft::Method> method = row.make(options);
  Chosen chosen{choice, {}, row.prepare ? row.prepare(base) : 0};
  if (row.copies) chosen.attached = peft::detail::attach_ensemble(base, method, row.copies(options), rng, "prompt");
  else chosen.attached.push_back(peft::detail::attach(base, method, rng, "default"));
  return chosen;
}

std::string Chosen::title() const {
  const std::string &name = peft::method_row(choice.name).title, made = attached.at(0).method->kind();
  return name.find(made) != std::string::npos ? name : name + " (" + made + ")";
}

std::vector<train::Group> groups(const peft::BaseModel& base, const Chosen& chosen) {
  std::map<const Param*, real> factors;
  for (const peft::Attached& one : chosen.attached)
    for (const peft::RateGroup& group : one.method->rates(base, one.name))
      for (const Param* parameter : group.parameters) factors[parameter] = group.factor;
  std::map<std::pair<real, bool>, train::NamedParams> sorted;
  for (const auto& named : peft::learning(base)) {
    const auto factor = factors.find(named.second);
    sorted[{factor == factors.end() ? 1 : factor->second, named.second->shape().rank() > 1}].push_back(named);
  }
  std::vector<train::Group> all;
  for (auto& [key, parameters] : sorted) all.push_back({std::move(parameters), key.first, key.second});
  return all;
}

}  // namespace graft::tune
