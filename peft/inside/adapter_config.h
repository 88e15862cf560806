// adapter_config.json: its fields, the order of its keys, and that it holds nothing unknown.
#pragma once
#include <initializer_list>
#include <string>
#include <vector>

#include "nn/inside/config_reader.h"
#include "peft/inside/regex.h"

namespace graft::peft {

struct AdapterJson {
  std::string text;
  nlohmann::json json;
  /// Without the fields in `ignored`, also in AdapterHub's inner "config". Errors: FileError, FormatError
  AdapterJson(const std::string& path, const std::vector<std::string>& ignored);
};

/// The fields are read by ConfigReader's functions.
class AdapterConfig : private AdapterJson, public ConfigReader {
 public:
  explicit AdapterConfig(const std::string& path, const std::vector<std::string>& ignored = {});
  AdapterConfig(const AdapterConfig&) = delete;  // the reader refers to this object

  /// An object's entries in the order of the file, which decides in rank_pattern; missing: none. Errors: FormatError.
  std::vector<std::pair<std::string, nlohmann::json>> entries_of(const std::string& field) const;
  /// A regular expression of the file. Errors: FormatError names the field.
  Regex regex(const std::string& expression, const std::string& field) const;
  /// Allows what every adapter may hold, and `harmless`; no other field may be left unread. Errors: FormatError
  void expect_all_known(std::initializer_list<std::string> harmless) const;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  mutable RegexBudget budget_;
};

/// The end of a message about an unknown field.
extern const char* const way_round_a_field;

}  // namespace graft::peft
