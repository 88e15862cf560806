#include "peft/inside/target_modules.h"

#include <algorithm>
#include <cctype>
#include <cmath>

namespace graft::peft {

using Json = nlohmann::json;

bool suffix_matches(const std::string& name, const std::string& target) {
  return name == target ||
         (name.size() > target.size() && name.compare(name.size() - target.size() - 1, std::string::npos, "." + target) == 0);
}

NameRule::NameRule(const AdapterConfig& config, const std::string& field) {
  ends_ = config.words(field);
  if (!config.is_word(field)) return;
  if (!ends_[0].empty()) regex_ = config.regex(ends_[0], field);  // for Python an empty text is none
  ends_.clear();
}

bool NameRule::names_in_full(const std::string& module) const {
  return std::find(ends_.begin(), ends_.end(), module) != ends_.end();
}

bool NameRule::matches(const std::string& module) const {
  if (regex_) return regex_->fullmatch(module);
  return std::any_of(ends_.begin(), ends_.end(), [&](const std::string& end) { return suffix_matches(module, end); });
}

namespace {

/// layers_to_transform: which layers; layers_pattern: what precedes a layer's number.
class LayerRule {
 public:
  explicit LayerRule(const AdapterConfig& config) : layers_(config.integers("layers_to_transform")) {
    const std::vector<std::string> patterns = config.words("layers_pattern");
    expect<FormatError>(patterns.empty() || config.has("layers_to_transform"), config.path(),
                        ": the field layers_pattern is set without layers_to_transform, which PEFT refuses");
    for (const std::string& pattern : patterns)
      if (!pattern.empty()) before_.push_back(config.regex("(?:^|.*?\\.)" + pattern + "\\.(?P<idx>\\d+)\\.", "layers_pattern"));
    if (before_.empty()) before_.push_back(config.regex(R"(.*?\.[^.]*\.(?P<idx>\d+)\.)", "layers_pattern"));
  }
  bool any() const { return !layers_.empty(); }
  bool matches(const std::string& module) const {
    for (const Regex& before : before_) {
      if (!before.match(module)) continue;
      const auto number = before.group("idx", module);
      return number && number->size() < 10 && std::find(layers_.begin(), layers_.end(), std::stol(*number)) != layers_.end();
    }
    return false;
  }

 private:
  std::vector<std::int64_t> layers_;
  std::vector<Regex> before_;
};

bool is_all_linear(const AdapterConfig& config) {
  std::string word = config.is_word("target_modules") ? config.word("target_modules") : "";
  std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return word == "all-linear";
}

}  // namespace

std::vector<HfModule> targets_of(const BaseModel& base, const AdapterConfig& config, const std::vector<std::string>& by_default,
                                 bool layers) {
  const bool all_linear = is_all_linear(config);
  const bool named = config.has("target_modules") && !all_linear;
  const NameRule targets = named ? NameRule(config, "target_modules") : NameRule(by_default);
  const NameRule excluded(config, "exclude_modules");
  std::vector<Regex> saved;
  std::vector<std::string> whole = config.words("modules_to_save");
  if (base.score) whole.insert(whole.end(), {"classifier", "score"});  // PEFT adds them
  for (const std::string& module : whole) saved.push_back(config.regex("(^|.*\\.)" + module + "($|\\..*)", "modules_to_save"));
  std::optional<LayerRule> layer;
  if (layers) layer.emplace(config);
  expect<FormatError>(!layer || !layer->any() || !config.is_word("target_modules"), config.path(),
                      ": the field layers_to_transform is set, but target_modules is a string, which PEFT refuses; ",
                      "name the layers in the expression");

  std::vector<HfModule> found;
  for (const HfModule& module : hf_modules(base)) {
    if (excluded.matches(module.name)) continue;
    if (std::any_of(saved.begin(), saved.end(), [&](const Regex& r) { return r.match(module.name); })) continue;
    bool wanted = false;
    if (all_linear) wanted = !module.table && module.name != "lm_head";
    else if (targets.names_in_full(module.name)) wanted = true;  // whatever layers_to_transform says
    else wanted = targets.matches(module.name) && (!layer || !layer->any() || layer->matches(module.name));
    if (wanted) found.push_back(module);
  }
  if (found.empty()) {
    std::string list;
    for (const std::string& target : config.has("target_modules") ? config.words("target_modules") : by_default)
      list += (list.empty() ? "" : ", ") + target;
    config.refuse("target_modules", "\"" + list + "\", and no module of this " + model_type(base) +
                                        " model has such a name, or all that do are excluded");
  }
  return found;
}

NumberPattern::NumberPattern(const AdapterConfig& config, const std::string& field, bool whole) {
  for (const auto& [key, value] : config.entries_of(field)) {
    const bool integer = value.is_number_unsigned() && value.get<std::uint64_t>() < (std::uint64_t(1) << 31);
    const bool finite = value.is_number() && std::isfinite(value.get<double>());
    if (!(whole ? integer && value.get<std::uint64_t>() > 0 : finite))
      config.refuse(field, text("{\"", key, "\": ", value.dump().substr(0, 40), "}, where a ",
                                whole ? "whole number from 1" : "number", " should be"));
    all_.emplace_back(config.regex("(.*\\.)?(" + key + ")$", field), value.get<double>());
  }
}

double NumberPattern::of(const std::string& module, double otherwise) const {
  for (const auto& entry : all_)
    if (entry.first.match(module)) return entry.second;
  return otherwise;
}

}  // namespace graft::peft
