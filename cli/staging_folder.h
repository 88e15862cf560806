// A staging folder: written beside its final place and moved there when it is complete, so that --out appears completely or
// not at all.
#pragma once
#include <filesystem>
#include <string>

#include "cli/command_line.h"
#include "nn/load.h"

namespace graft::cli {

/// The options of convert and merge: which model, and how and where to write it.
struct ModelOutput {
  std::string model, out, dtype = "F32";
  bool force = false, no_tokenizer = false;

  void add_model_option(const Command& command);    ///< --model
  void add_output_options(const Command& command);  ///< --out, --dtype, --force, --no-tokenizer
};

/// save_whole() with the tokenizer of the model in `from`, if it has one and it is wanted; returns whether it was written.
bool save_whole(const Loaded& loaded, const std::filesystem::path& target, const std::string& from, const ModelOutput& output);

/// The folder for --out, checked before the work: its parent exists, and it is not a file, not `from`, and empty unless forced.
/// Errors: FileError; ValueError says what --force would do.
std::filesystem::path target_folder(const std::string& out, const std::string& from, bool force);

/// save_model() into a staging folder that replaces a model's files in the target when it is complete. An error, Ctrl-C, SIGTERM and
/// SIGHUP leave nothing behind. Errors: FileError, and those of save_model(); Interrupted
void save_whole(const Loaded& loaded, const std::filesystem::path& target, const std::string& dtype,
                const Tokenizer* tokenizer);

}  // namespace graft::cli
