// Random initial values, by the names of parameters.
#pragma once
#include <functional>
#include <string>

#include "autograd/rng.h"
#include "nn/module.h"

namespace graft {

bool ends_with(const std::string& text, const std::string& end);

/// Every parameter below m: biases 0, gains of norms (rank 1 weights) 1, all else N(0, deviation(path)).
using Deviation = std::function<real(const std::string& path)>;
void initialize_weights(const Module& m, const Deviation& deviation, Rng& rng);

}  // namespace graft
