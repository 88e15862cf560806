// The demo's frozen base: a GPT that learned the language of the small world.
#pragma once
#include <string>

#include "autograd/real.h"
#include "cli/commands.h"

namespace graft::cli {

/// Makes it, or takes it from the user's cache: a folder, as Hugging Face has them. Interrupted, the next call goes on.
/// Errors: FileError; Interrupted
/// most_steps: 0, or at most so many steps of training, for a quick look (another base, cached apart).
std::string demo_base(const std::string& out, Index most_steps, const Globals& globals);

}  // namespace graft::cli
