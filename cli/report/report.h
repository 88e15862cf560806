// The report of a comparison: one HTML file that needs nothing else. The page (page.html: layout, charts, tooltips) is part of the
// program; the numbers are put into it as JSON.
#pragma once
#include <nlohmann/json.hpp>
#include <string>

namespace graft::cli {

/// data: {"title", "made", "machine", "command", "seeds", "tasks": [{"id", "title", "kind", "score_name", "higher_is_better",
/// "untuned", "majority", "labels", "note", "runs": [what result.json of a run holds, with "scores" and "spread" over the seeds,
/// or "absent" with the reason]}]}. Nothing in it can end the script that holds it. Whole or not at all. Errors: FileError
void write_report(const nlohmann::json& data, const std::string& path);

/// JSON that may stand inside <script>: no "</", no U+2028 or U+2029, ill-formed UTF-8 replaced.
std::string inside_script(const nlohmann::json& data);

}  // namespace graft::cli
