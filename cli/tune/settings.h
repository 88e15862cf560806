// The settings of `graft tune`, from the command line, a file, or the run that it continues.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/texts.h"
#include "train/schedule.h"
#include "tune/methods.h"

namespace graft::cli {

class Command;

struct Settings {
  std::string model, out;
  tune::MethodChoice method;
  // data
  std::string data, validation, test;
  double split = 0.1;
  Index length = 0;  ///< 0: as many as fit, at most 512
  bool cut = false, by_line = false;
  std::string answer;  ///< for classes: "head" or "words"; empty: the method's default
  std::vector<std::string> words;
  TextOptions around;
  std::optional<Texts> texts;  ///< those of the run that is continued
  bool begun_before = false;  ///< the continued run saved no texts: it had only config.json's eos around them
  // training
  Index batch = 8, accumulate = 1, steps = 0;
  double epochs = 3;
  std::string optimizer = "adamw", schedule = "cosine";
  double rate = 0, warmup = 0, clip = 1, decay = 0;
  bool recompute = false;
  std::uint64_t seed = 1;
  Index evaluate_every = 0, patience = 0, save_every = 0;
  Index samples = 5, score = 200;
  double budget = 64;  ///< MiB for the paged optimizer
  // about the call itself
  std::string config, resume;
  bool dry_run = false, force = false, trace = false;
};

/// All options but --config, --resume and --dry-run belong to the run and are kept with it.
void add_tune_options(const Command& command, Settings& settings);

/// Adds the options from --config or --resume, over which the command line takes precedence, and checks that none is missing.
/// Returns all options that were given for the run: {"model": ["..."], "r": ["8"], ...}. Errors: FileError, FormatError, ValueError
nlohmann::json complete(const Command& command, Settings& settings);

}  // namespace graft::cli
