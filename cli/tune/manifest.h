// run.json: what a run began with, so that it can be gone on with, and so that nothing else is taken for it.
#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/texts.h"

namespace graft::cli {

struct Manifest {
  nlohmann::json options;  ///< as words: {"r": ["8"], "targets": ["q", "v"], ...}
  nlohmann::json data;     ///< marks_of() the model and the files of data
  int threads = 0;
  std::optional<Texts> texts;  ///< what was put around texts; runs that were begun before this was kept put nothing
};

/// A mark of what each file holds, or the files of a model in a folder; "" as a name is none. Of large files the size and
/// pieces from all over it are looked at. Errors: FileError
nlohmann::json marks_of(const std::vector<std::string>& files);

void write_manifest(const std::string& file, const Manifest& beginning);  ///< Errors: FileError
std::optional<Manifest> read_manifest(const std::string& file);           ///< none if it is missing, or says something else

}  // namespace graft::cli
