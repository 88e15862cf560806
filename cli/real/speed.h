// How fast a model is on this machine.
#pragma once
#include <string>

namespace graft::cli {

/// Tokens per second that the model reads, in rows of 128, measured once. Errors: those of load_model().
double reading_speed(const std::string& model);

}  // namespace graft::cli
