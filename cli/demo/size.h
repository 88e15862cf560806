// How large a demo this machine can show within some minutes.
#pragma once
#include <string>
#include <vector>

#include "nn/gpt2.h"

namespace graft::cli {

/// Tokens that the demo's tokenizer knows, at each size.
constexpr Index demo_vocabulary = 640;

/// A size of the demo: its base, and how long each method learns.
struct DemoSize {
  std::string name;
  Index layers, dim, heads;
  Index base_steps, base_batch;
  Index most_virtual;       ///< virtual tokens, at most
  double share, rate;       ///< of the steps and of the rate of each recipe
  double base_passes, method_passes;  ///< what base and methods cost (see DemoPace)

  Gpt2Config config() const;  ///< without the vocabulary
};

const std::vector<DemoSize>& demo_sizes();            ///< the largest first
const DemoSize& demo_size(const std::string& name);  ///< Errors: ValueError lists them

/// Seconds of a pass, forward and backward over 32 sentences in the largest base, as the demo's base and its methods compute.
struct DemoPace {
  double all_threads, one_thread;

  static DemoPace measured();  ///< in about a second
  /// Of a whole demo. base_there: it is in the cache
  double seconds(const DemoSize& size, int seeds, int jobs, bool base_there) const;
};

}  // namespace graft::cli
