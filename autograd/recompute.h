// Gradient checkpointing (Chen et al. 2016, "Training deep nets with sublinear memory cost"): keep a part's inputs instead
// of what it saves, and run it again in backward.
#pragma once
#include <functional>
#include <vector>

#include "autograd/rng.h"
#include "autograd/variable.h"

namespace graft {

/// f(inputs), saving only the inputs. Backward runs f once more and pulls all gradients back through that run: to
/// `inputs`, to parameters that f uses (even if only those learn), and to anything else with a history that f reaches.
/// f must compute the same result again; for randomness use the Rng form, whose second run replays the same draws.
/// Errors: those of f; ValueError for an empty f or input; GraphError if an input or a weight that f uses was changed before
/// backward, or the second run gives a different result (the results are compared bit by bit).
Variable recompute(const std::function<Variable(const std::vector<Variable>&)>& f, const std::vector<Variable>& inputs);
Variable recompute(const std::function<Variable(const std::vector<Variable>&, Rng&)>& f, const std::vector<Variable>& inputs,
                   Rng& rng);

}  // namespace graft
