// How the process that runs C++ talks to the Jupyter kernel: messages over a pipe of their own, so that nothing a program prints
// can be taken for one. Each waits for its answer, which comes when all that was printed before has been shown.
#pragma once
#include <nlohmann/json_fwd.hpp>

namespace graft_kernel {

/// Sends {"kind": kind, ...}; returns when the kernel has dealt with it. Ends the process if the kernel is gone.
void say(const nlohmann::json& message);

}  // namespace graft_kernel
