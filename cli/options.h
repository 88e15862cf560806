// What several commands share: common options such as --model, and checks with their own messages.
#pragma once
#include <string>
#include <vector>

#include "cli/command_line.h"

namespace graft::cli {

using must_be::above;
using must_be::filled;
using must_be::number;
using must_be::one_of;
using must_be::whole;

Option add_model_option(const Command& command, std::string& model);  ///< --model MODEL, required
/// --adapter DIR and --ignore-field NAME
Option add_adapter_option(const Command& command, std::string& adapter, std::vector<std::string>& ignored_fields);
/// --bos and --no-bos, optionally in a group of the help text.
void add_bos_options(const Command& command, bool& bos, bool& no_bos, const std::string& what = "each text",
                     const std::string& group = "", const std::vector<Option>& not_with = {});
extern const char* const what_a_model_is;  ///< for help texts

}  // namespace graft::cli
