// What `graft tune` is told, on the command line, in a file, or by the run that it goes on with.
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
  Index length = 0;  ///< 0: as many as there is room for, at most 512
  bool cut = false, by_line = false;
  std::string answer;  ///< of classes: "head" or "words"; empty: the method's own
  std::vector<std::string> words;
  TextOptions around;
  std::optional<Texts> texts;  ///< those that the run began with that is gone on with
  bool begun_before = false;  ///< the run that is gone on with kept no texts: it had nothing around them but config.json's end
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
  // how to go about it
  std::string config, resume;
  bool dry_run = false, force = false, trace = false;
};

/// All options but --config, --resume and --dry-run belong to the run and are kept with it.
void add_tune_options(const Command& command, Settings& settings);

/// Fills in what --config or --resume says, under what the command line says, and checks that nothing is missing. Returns
/// the run's options, all that were given: {"model": ["..."], "r": ["8"], ...}. Errors: FileError, FormatError, ValueError
nlohmann::json complete(const Command& command, Settings& settings);

}  // namespace graft::cli
