// A printed tree made shorter: neighbours that are alike but for their number become one.
#pragma once
#include <string>

namespace graft::cli {

/// Lines are indented by two spaces per level. Siblings "layers.0: Block", "layers.1: Block", ... with equal lines below them
/// become "layers.0 ... layers.11: Block", with the lines below written once.
std::string collapse_layers(const std::string& tree);

}  // namespace graft::cli
