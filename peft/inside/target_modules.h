// Which modules an adapter_config.json means, as PEFT 0.21 reads it: check_target_module_exists() of tuners_utils.py and
// get_pattern_key() of utils/other.py.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "peft/inside/adapter_parts.h"

namespace graft::peft {

/// Names that a field holds: a string is a regular expression for the whole name, a list has ends of names.
class NameRule {
 public:
  NameRule(const AdapterConfig& config, const std::string& field);
  NameRule(std::vector<std::string> ends) : ends_(std::move(ends)) {}
  bool empty() const { return !regex_ && ends_.empty(); }
  bool names_in_full(const std::string& module) const;  ///< the list has exactly this name
  bool matches(const std::string& module) const;

 private:
  std::optional<Regex> regex_;
  std::vector<std::string> ends_;
};

/// The modules that target_modules (or the default, if it is missing) means, but for those that exclude_modules and
/// modules_to_save mean; with `layers`, a list is limited by layers_to_transform and layers_pattern.
std::vector<HfModule> targets_of(const BaseModel& base, const AdapterConfig& config, const std::vector<std::string>& by_default,
                                 bool layers);

/// rank_pattern and alpha_pattern: numbers by regular expressions for ends of names, of which the first that matches counts.
class NumberPattern {
 public:
  /// Errors: FormatError: not an object, or not a number; whole: not a whole number from 1.
  NumberPattern(const AdapterConfig& config, const std::string& field, bool whole);
  double of(const std::string& module, double otherwise) const;

 private:
  std::vector<std::pair<Regex, double>> all_;
};

bool suffix_matches(const std::string& name, const std::string& target);  ///< PEFT's rule: equal, or ends with "." + target

}  // namespace graft::peft
