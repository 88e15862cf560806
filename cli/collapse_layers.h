// Shortens a printed tree: neighbours that differ only in their number become one.
#pragma once
#include <string>

namespace graft::cli {

/// Lines are indented by two spaces per level. Siblings "layers.0: Block", "layers.1: Block", ... with equal lines below them
/// become "layers.0 ... layers.11: Block", and the lines below are written once.
std::string collapse_layers(const std::string& tree);

}  // namespace graft::cli
