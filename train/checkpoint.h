// A checkpoint: all that a training needs to resume as if never stopped. The file of a result may leave out parameters that
// only training has (encoders), the optimizer's numbers and the random numbers; this has them. One file, replaced whole or not at
// all, so the last good one always loads.
#pragma once
#include <map>
#include <string>

#include "train/optimizer.h"

namespace graft::train {

/// What a checkpoint restores besides the parameters.
struct Checkpoint {
  std::map<std::string, Tensor> optimizer;  ///< for Optimizer::load()
  Rng rng;
  std::map<std::string, std::string> metadata;  ///< what the caller added
};

/// optimizer: what Optimizer::state() gave. Errors: FileError; ValueError without parameters; an existing file is kept then.
void save_checkpoint(const NamedParams& parameters, const std::map<std::string, Tensor>& optimizer, const Rng& rng,
                     const std::string& file, const std::map<std::string, std::string>& metadata = {});
/// Restores the parameters' numbers.
/// Errors: FileError, FormatError: a missing or unknown parameter, another shape; nothing has changed then.
Checkpoint load_checkpoint(const NamedParams& parameters, const std::string& file);

}  // namespace graft::train
