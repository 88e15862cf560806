// Fields of a config.json with their checks. Private: users see config.h.
#pragma once
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "autograd/errors.h"
#include "autograd/real.h"
#include "autograd/sizes.h"

namespace graft {

/// JSON text, not nested deeper than 32. Errors: FormatError.
nlohmann::json parse_config(const std::string& text, const std::string& source);

/// An object of the file. A null field counts as missing. Errors of all: FormatError names file and field.
class ConfigReader {
 public:
  ConfigReader(const nlohmann::json& object, std::string source, std::string path);

  bool has(const char* field) const;
  Index size(const std::string& field) const;  ///< 1 .. 2^31 - 1
  Index size(const std::string& field, Index otherwise) const;
  double number(const std::string& field) const;  ///< finite
  double number(const std::string& field, double otherwise) const;
  bool flag(const std::string& field, bool otherwise) const;
  std::string word(const std::string& field) const;
  std::string word(const std::string& field, const std::string& otherwise) const;
  std::string first_word(const std::string& field, const std::string& otherwise) const;  ///< of an array of words
  std::vector<Id> tokens(const std::string& field, Index vocabulary) const;  ///< one, or a list; without those outside it
  Id token(const std::string& field, Index vocabulary) const;                ///< -1 if missing or beyond; the first of several
  ConfigReader inner(const std::string& field) const;                        ///< an object in it
  const nlohmann::json* find(const std::string& field) const;                ///< as it stands there; nullptr if missing
  bool is_word(const std::string& field) const;                              ///< a text, where a list may stand
  std::vector<std::string> words(const std::string& field) const;            ///< a text, or a list of them; missing: none
  std::vector<std::int64_t> integers(const std::string& field) const;        ///< one, or a list of them; missing: none
  Index entries() const { return size_of(*object_); }

  [[noreturn]] void refuse(const std::string& field, const std::string& what) const;  ///< "the field .. is <what>, which .."
  void only(const std::string& field, bool supported) const;                          ///< refuses the other value
  /// Refuses the first field that was not read, is not among `harmless`, and is not null, false, 0, "" or []:
  /// it may change what is computed. way_round: the end of the message.
  void expect_all_known(std::initializer_list<std::string> harmless, const std::string& way_round) const;
  void expect_one_of(const std::string& field, const std::string& found, std::initializer_list<std::string> known) const;

 private:
  const nlohmann::json& need(const std::string& field) const;
  [[noreturn]] void wrong(const std::string& field, const std::string& expected, const nlohmann::json& found) const;
  const nlohmann::json* object_;
  std::string source_, path_;
  mutable std::set<std::string> asked_;  // find() records the fields that were read
};

}  // namespace graft
