// What the options of several commands have in common: the option --model, and checks with a message of their own.
// A check is a function from the text on the command line to what is wrong with it ("" is nothing), as CLI11 wants it.
#pragma once
#include <CLI/CLI.hpp>
#include <functional>
#include <string>

namespace graft::cli {

using Check = std::function<std::string(const std::string&)>;

Check whole(long low, long high);       ///< a whole number in [low, high]
Check number(double low, double high);  ///< a number in [low, high]; neither nan nor anything after it
Check above(double low);                ///< a number > low
Check filled();                         ///< not empty

CLI::Option* add_model_option(CLI::App& command, std::string& model);      ///< --model MODEL, required
CLI::Option* add_adapter_option(CLI::App& command, std::string& adapter);  ///< --adapter DIR
extern const char* const what_a_model_is;                                  ///< for help texts

}  // namespace graft::cli
