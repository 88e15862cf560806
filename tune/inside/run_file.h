// run.json, which graft tune writes first in the folder of a run: the program reads it to resume, the library for the texts.
#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "tune/texts.h"

namespace graft::tune {

struct RunFile {
  nlohmann::json options;  ///< as words: {"r": ["8"], "targets": ["q", "v"], ...}
  nlohmann::json data;     ///< fingerprints of the model and of the files of data
  int threads = 0;
  std::optional<Texts> texts;  ///< what was put around texts; none: the run did not record it, and added nothing
};

std::optional<RunFile> read_run(const std::string& file);  ///< none if it is missing, or holds something else

}  // namespace graft::tune
