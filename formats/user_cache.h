// Where a user's programs keep what they can make again.
#pragma once
#include <string>

namespace graft::formats {

/// XDG_CACHE_HOME/graft, or ~/.cache/graft, with `part` below it; made if need be. Empty if there is no such folder, or it cannot be written to.
std::string user_cache(const std::string& part);

}  // namespace graft::formats
