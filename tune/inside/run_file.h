// run.json, with which graft tune begins the folder of a run: read by the program, to go on, and by the library, for the texts.
#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "tune/texts.h"

namespace graft::tune {

struct RunFile {
  nlohmann::json options;  ///< as words: {"r": ["8"], "targets": ["q", "v"], ...}
  nlohmann::json data;     ///< marks of the model and of the files of data
  int threads = 0;
  std::optional<Texts> texts;  ///< what was put around texts; none: the run did not keep it, and put nothing there
};

std::optional<RunFile> read_run(const std::string& file);  ///< none if it is missing, or says something else

}  // namespace graft::tune
