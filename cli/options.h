// What the options of several commands have in common: the option --model, and checks with a message of their own.
#pragma once
#include <string>
#include <vector>

#include "cli/command_line.h"

namespace graft::cli {

Check whole(long low, long high);       ///< a whole number in [low, high]
Check number(double low, double high);  ///< a number in [low, high]; neither nan nor anything after it
Check above(double low);                ///< a number > low
Check filled();                         ///< not empty
Check one_of(const std::vector<std::string>& all);

Option add_model_option(const Command& command, std::string& model);  ///< --model MODEL, required
/// --adapter DIR, and with it --ignore-field NAME
Option add_adapter_option(const Command& command, std::string& adapter, std::vector<std::string>& ignored_fields);
/// --bos and --no-bos, in a group of the help text or in none.
void add_bos_options(const Command& command, bool& bos, bool& no_bos, const std::string& what = "each text",
                     const std::string& group = "", const std::vector<Option>& not_with = {});
extern const char* const what_a_model_is;  ///< for help texts

}  // namespace graft::cli
