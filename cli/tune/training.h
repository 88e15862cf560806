// How a run is trained, as its settings say: the optimizer, the schedule, when to look and when to save.
#pragma once
#include <memory>

#include "cli/tune/job.h"

namespace graft::cli {

std::unique_ptr<train::Optimizer> optimizer(const Job& job);
train::Plan plan(const Job& job);

}  // namespace graft::cli
