// What another program needs to repeat the same training: bench/quality does it with PEFT.
#pragma once
#include <string>

#include "cli/tune/job.h"

namespace graft::cli {

/// Writes into a new folder: the initial adapter, start.safetensors with the encoders that its file leaves out, batches.jsonl
/// with the rate and the rows of every step, and held.jsonl with the data for the score. Errors: FileError
void write_trace(Job& job, const std::string& folder);

}  // namespace graft::cli
