// How each method is trained in the demo: the recipes of docs/methods on its small model.
#pragma once
#include "cli/compare/plan.h"
#include "cli/demo/base.h"

namespace graft::cli {

Comparison demo_comparison(const DemoBase& base, const std::string& out, int seeds, Index most_steps);

}  // namespace graft::cli
