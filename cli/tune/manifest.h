// run.json: what a run began with, so that it can be gone on with, and so that nothing else is taken for it.
#pragma once
#include <string>
#include <vector>

#include "tune/inside/run_file.h"

namespace graft::cli {

using Manifest = tune::RunFile;

/// A mark of what each file holds, or the files of a model in a folder; "" as a name is none. Of large files the size and
/// pieces from all over it are looked at. Errors: FileError
nlohmann::json marks_of(const std::vector<std::string>& files);

void write_manifest(const std::string& file, const Manifest& manifest);  ///< Errors: FileError

}  // namespace graft::cli
