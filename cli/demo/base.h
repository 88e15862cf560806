// The demo's frozen base: a GPT trained on the language of the small world.
#pragma once
#include <string>

#include "autograd/real.h"
#include "cli/commands.h"
#include "cli/demo/size.h"

namespace graft::cli {

/// The bases that a demo may use, one for each size: Hugging Face folders in the user's cache.
class DemoBases {
 public:
  /// out: the demo's folder, which holds the bases if the cache is not writable
  /// most_steps: 0, or the maximum number of training steps, for a quick look (other bases, cached separately)
  DemoBases(std::string out, Index most_steps);

  /// Whether it is already trained.
  bool is_there(const DemoSize& size) const;
  /// The folder of the base, which is trained if it is missing; after an interruption the next call continues.
  /// Errors: FileError; ValueError: the training failed; Interrupted
  std::string made(const DemoSize& size, const Globals& globals) const;

 private:
  std::string key(const DemoSize& size) const;

  std::string out_, world_;
  Index most_steps_;
};

}  // namespace graft::cli
