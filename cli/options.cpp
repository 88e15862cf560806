#include "cli/options.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "autograd/errors.h"

namespace graft::cli {
namespace {

/// All of `s` as a number; nan if it is none.
double parsed(const std::string& s) {
  char* end = nullptr;
  const double x = s.empty() || std::isspace(static_cast<unsigned char>(s[0])) ? NAN : std::strtod(s.c_str(), &end);
  return std::isfinite(x) && *end == '\0' ? x : NAN;
}

}  // namespace

Check whole(long low, long high) {
  return [low, high](const std::string& s) -> std::string {
    const bool octal = s.size() > 1 && s[s[0] == '-'] == '0';  // CLI11 reads 010 as 8
    const double x = s.find_first_not_of("-0123456789") == std::string::npos && !octal ? parsed(s) : NAN;
    if (x >= static_cast<double>(low) && x <= static_cast<double>(high)) return "";
    return text("must be a whole number from ", low, " to ", high, ", not \"", s, "\"");
  };
}

Check number(double low, double high) {
  return [low, high](const std::string& s) -> std::string {
    const double x = parsed(s);
    if (x >= low && x <= high) return "";
    return text("must be a number from ", low, " to ", high, ", not \"", s, "\"");
  };
}

Check above(double low) {
  return [low](const std::string& s) -> std::string {
    if (parsed(s) > low) return "";
    return text("must be a number greater than ", low, ", not \"", s, "\"");
  };
}

Check filled() {
  return [](const std::string& s) { return s.empty() ? "must not be empty" : std::string(); };
}

Check one_of(const std::vector<std::string>& all) {
  return [all](const std::string& word) -> std::string {
    if (std::find(all.begin(), all.end(), word) != all.end()) return "";
    std::string known;
    for (const std::string& one : all) known += (known.empty() ? "" : ", ") + one;
    return "must be one of " + known + ", not \"" + word + "\"";
  };
}

const char* const what_a_model_is = "a Hugging Face folder, a .gguf file, or a name that ./run fetch NAME has fetched";

Option add_model_option(const Command& command, std::string& model) {
  return command.add_option("--model", model, what_a_model_is).required().check(filled()).type_name("MODEL");
}

Option add_adapter_option(const Command& command, std::string& adapter, std::vector<std::string>& ignored_fields) {
  const Option option =
      command
          .add_option("--adapter", adapter,
                      "a folder with an adapter of PEFT, of AdapterHub, or one that graft wrote, to put on the model")
          .check(filled())
          .type_name("DIR");
  command
      .add_option("--ignore-field", ignored_fields,
                  "read the adapter as if this field of its adapter_config.json were not there: one that graft does not know and "
                  "that changes nothing; may be given several times")
      .repeatable()
      .check(filled())
      .needs(option)
      .type_name("NAME");
  return option;
}

void add_bos_options(const Command& command, bool& bos, bool& no_bos, const std::string& what, const std::string& group,
                     const std::vector<Option>& not_with) {
  std::vector<Option> both{
      command.add_flag("--bos", bos,
                       "put the token for the beginning of a text before " + what + " (default: as the tokenizer's files say)"),
      command.add_flag("--no-bos", no_bos, "do not, whatever they say")};
  both[1].excludes(both[0]);
  for (const Option& option : both) {
    if (!group.empty()) option.group(group);
    for (const Option& other : not_with) option.excludes(other);
  }
}

}  // namespace graft::cli
