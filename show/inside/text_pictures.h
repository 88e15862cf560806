// Numbers as a terminal can draw them.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

namespace graft::show {

/// At most `width` characters from ▁ to █; a blank for what is not finite (or not above 0, if log).
std::string sparkline(const std::vector<double>& y, std::size_t width, bool log = false);

}  // namespace graft::show
