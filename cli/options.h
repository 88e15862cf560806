// What the options of several commands have in common: the option --model, and checks with a message of their own.
#pragma once
#include <string>
#include <vector>

#include "cli/command_line.h"

namespace graft::cli {

using check::above;
using check::filled;
using check::number;
using check::one_of;
using check::whole;

Option add_model_option(const Command& command, std::string& model);  ///< --model MODEL, required
/// --adapter DIR, and with it --ignore-field NAME
Option add_adapter_option(const Command& command, std::string& adapter, std::vector<std::string>& ignored_fields);
/// --bos and --no-bos, in a group of the help text or in none.
void add_bos_options(const Command& command, bool& bos, bool& no_bos, const std::string& what = "each text",
                     const std::string& group = "", const std::vector<Option>& not_with = {});
extern const char* const what_a_model_is;  ///< for help texts

}  // namespace graft::cli
