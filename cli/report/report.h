// The report of a comparison of fine-tuning methods: one HTML file that needs no other file and no network. Its charts are
// drawn by scripts in the page (cli/report/*.js) from the embedded data; data.md describes the data. Where scripts are switched off,
// tables and curves stand in the page as they are (plain.h).
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace graft::cli {

/// Writes the page with `data` in it to `path`, completely or not at all. Non-finite numbers appear as unknown, bytes that
/// are not UTF-8 as U+FFFD. The page omits fields that it does not know.
/// Errors: ValueError if data is not an object, FileError with the system's reason
void write_report(const nlohmann::json& data, const std::string& path);

}  // namespace graft::cli
