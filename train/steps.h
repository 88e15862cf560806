// The plain loop: n times a loss, its gradients, and a step of AdamW. What a real training has besides (a schedule, held-out data,
// checkpoints) is in trainer.h.
//     train::steps(model, 200, 1e-2, [&] { return language_loss(model, batch); }, progress);
#pragma once
#include <functional>
#include <vector>

#include "autograd/variable.h"
#include "nn/module.h"

namespace graft::train {

/// Trains whatever learns in `module`, at a constant rate, without weight decay. Returns the loss of each step, before it.
/// progress(step, loss) comes after each step, from 0 on; what it throws ends the training, and what was learned is kept.
/// Gradients that parameters had before are cleared, and none are left.
/// Errors: ValueError if nothing learns, if steps < 0, or for a loss that is not finite, which names the step
std::vector<double> steps(Module& module, Index n, double rate, const std::function<Variable()>& loss,
                          const std::function<void(Index step, double loss)>& progress = {});

}  // namespace graft::train
