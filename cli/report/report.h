// The report of a comparison of fine-tuning methods: one HTML file that needs no other file and no network. Its charts are
// drawn by scripts in the page (cli/report/*.js) from the data that is put into it; what the data may hold is in data.md.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace graft::cli {

/// Writes the page with `data` in it to `path`, whole or not at all. Numbers that are not finite arrive as unknown, bytes
/// that are not UTF-8 as U+FFFD. What the page does not know it leaves out.
/// Errors: ValueError if data is not an object, FileError with the system's reason
void write_report(const nlohmann::json& data, const std::string& path);

}  // namespace graft::cli
