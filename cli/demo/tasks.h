// The two tasks of the demo as files: describe.train.jsonl, describe.held.jsonl, review.train.jsonl, review.held.jsonl.
#pragma once
#include <string>

namespace graft::cli {

/// Writes them into a folder, which is created if necessary. Held-out examples do not occur in training, and the recipes were
/// not chosen with them. Errors: FileError
void write_tasks(const std::string& folder);

}  // namespace graft::cli
