// The demo's frozen base: a GPT that learned the language of the small world.
#pragma once
#include <string>

#include "autograd/real.h"
#include "cli/commands.h"
#include "cli/demo/size.h"

namespace graft::cli {

/// Makes it, or takes it from the user's cache: a folder, as Hugging Face has them. Interrupted, the next call goes on.
/// Errors: FileError; Interrupted
/// most_steps: 0, or at most so many steps of training, for a quick look (another base, cached apart).
std::string demo_base(const std::string& out, const DemoSize& size, Index most_steps, const Globals& globals);

/// Whether it need not be trained any more.
bool demo_base_is_there(const std::string& out, const DemoSize& size, Index most_steps);

}  // namespace graft::cli
