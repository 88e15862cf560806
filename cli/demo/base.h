// The demo's frozen base: a GPT that learned the language of the small world.
#pragma once
#include <string>

#include "autograd/real.h"
#include "cli/commands.h"
#include "cli/demo/size.h"

namespace graft::cli {

/// The bases that a demo may stand on, one of each size: folders, as Hugging Face has them, in the user's cache.
class DemoBases {
 public:
  /// out: the demo's folder, which holds the bases where there is no cache to write to
  /// most_steps: 0, or at most so many steps of training, for a quick look (other bases, cached apart)
  DemoBases(std::string out, Index most_steps);

  /// Whether it need not be trained any more.
  bool is_there(const DemoSize& size) const;
  /// The folder of the base, which is trained if it is not there; interrupted, the next call goes on.
  /// Errors: FileError; ValueError: the training failed; Interrupted
  std::string made(const DemoSize& size, const Globals& globals) const;

 private:
  std::string key(const DemoSize& size) const;

  std::string out_, world_;
  Index most_steps_;
};

}  // namespace graft::cli
