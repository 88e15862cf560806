// What another program needs to train the same: bench/quality lets PEFT do it.
#pragma once
#include <string>

#include "cli/tune/job.h"

namespace graft::cli {

/// Into a folder, which is made: the adapter as it starts, start.safetensors with the encoders that its file leaves out, batches.jsonl
/// with the rate and the rows of every step, and held.jsonl, what the score is about. Errors: FileError
void write_trace(Job& job, const std::string& folder);

}  // namespace graft::cli
