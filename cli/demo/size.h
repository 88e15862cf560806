// How large a demo this machine can run within a few minutes.
#pragma once
#include <string>
#include <vector>

#include "nn/gpt2.h"

namespace graft::cli {

/// The vocabulary of the demo's tokenizer, for every size.
constexpr Index demo_vocabulary = 640;

/// A size of the demo: its base, and how long each method is trained.
struct DemoSize {
  std::string name;
  Index layers, dim, heads;
  Index base_steps, base_batch;
  Index most_virtual;       ///< the maximum number of virtual tokens
  double share, rate;       ///< factors for the steps and the rate of each recipe
  double base_passes, method_passes;  ///< the costs of base and methods, in passes (see DemoPace)

  Gpt2Config config() const;  ///< without the vocabulary
};

const std::vector<DemoSize>& demo_sizes();            ///< the largest first
const DemoSize& demo_size(const std::string& name);  ///< Errors: ValueError lists them

/// Seconds per pass, forward and backward over 32 sentences in the largest base, for training the base and for the methods.
struct DemoPace {
  double all_threads, one_thread;

  static DemoPace measured();  ///< in about a second
  /// Seconds of a whole demo. base_there: the base is in the cache
  double seconds(const DemoSize& size, int seeds, int jobs, bool base_there) const;
};

}  // namespace graft::cli
