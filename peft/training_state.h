// What a flat adapter file leaves out and training needs to go on from where it stopped: encoders (the MLP of a prefix, the
// LSTM of P-tuning), the optimizer's numbers, the random numbers. One file beside the adapter, which PEFT does not look at;
// PEFT's own prompt encoders cannot be resumed.
#pragma once
#include <map>
#include <string>

#include "peft/method.h"

namespace graft::peft {

/// optimizer: what Optimizer::state() gave. Written whole or not at all. Errors: FileError; ValueError if there is no `name`.
void save_training_state(const Host& host, const std::string& name, const std::map<std::string, Tensor>& optimizer,
                         const Rng& rng, const std::string& file);

struct TrainingState {
  std::map<std::string, Tensor> optimizer;  ///< for Optimizer::load()
  Rng rng;
};
/// Gives the parameters of `name`, which must be attached with the same options, their numbers back.
/// Errors: FileError, FormatError: a missing or unknown tensor, another shape; nothing has changed then.
TrainingState load_training_state(const Host& host, const std::string& name, const std::string& file);

}  // namespace graft::peft
