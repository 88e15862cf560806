// run.json: what a run began with, so that it can be continued and is not confused with another.
#pragma once
#include <string>
#include <vector>

#include "tune/inside/run_file.h"

namespace graft::cli {

using Manifest = tune::RunFile;

/// A fingerprint of each file, or of a model's files in a folder; the name "" is skipped. For a large file it covers the size
/// and samples from the whole file. Errors: FileError
nlohmann::json marks_of(const std::vector<std::string>& files);

void write_manifest(const std::string& file, const Manifest& manifest);  ///< Errors: FileError

}  // namespace graft::cli
