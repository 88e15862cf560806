// A folder in the making: written beside its final place and moved there when it is complete, so that --out appears whole or
// not at all.
#pragma once
#include <filesystem>
#include <string>

#include "nn/load.h"

namespace graft::cli {

/// Where --out is to be, checked before the work: its parent exists, it is no file, not `from`, and empty unless forced.
/// Errors: FileError, ValueError say what --force would do.
std::filesystem::path target_folder(const std::string& out, const std::string& from, bool force);

/// save_model() into a draft that replaces a model's files in the target when it is complete. An error, Ctrl-C, SIGTERM and
/// SIGHUP leave nothing behind. Errors: FileError, and those of save_model(); Interrupted
void save_whole(const Loaded& loaded, const std::filesystem::path& target, const std::string& dtype,
                const Tokenizer* tokenizer);

}  // namespace graft::cli
