// How each method is trained in the demo: the recipes of docs/methods for its small model.
#pragma once
#include "autograd/real.h"
#include "cli/compare/comparison.h"
#include "cli/demo/size.h"

namespace graft::cli {

/// base: the frozen model; tasks: the folder of their files. most_steps: 0, or the maximum for each training.
Comparison demo_comparison(const std::string& base, const std::string& tasks, const std::string& out,
                           const DemoSize& size, int seeds, Index most_steps);

}  // namespace graft::cli
