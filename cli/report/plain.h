// The report for a browser without scripts: the numbers as tables and pictures that stand still.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace graft::cli {

/// HTML for each task of the data (data.md): a table of the methods, and their curves. "" if there is no task. Whatever is missing
/// or of another kind is left out; nothing in the data is taken for HTML.
std::string plain_report(const nlohmann::json& data);

}  // namespace graft::cli
