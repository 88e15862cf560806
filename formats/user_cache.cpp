#include "formats/user_cache.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace graft::formats {

namespace fs = std::filesystem;

std::string user_cache(const std::string& part) {
  const auto variable = [](const char* name) { return std::string(std::getenv(name) ? std::getenv(name) : ""); };
  const std::string user = variable("XDG_CACHE_HOME"), home = variable("HOME");
  if (user.empty() && home.empty()) return "";
  const fs::path folder = (user.empty() ? fs::path(home) / ".cache" : fs::path(user)) / "graft" / part;
  std::error_code error;
  fs::create_directories(folder, error);
  return error || access(folder.c_str(), W_OK) != 0 ? "" : folder.string();
}

}  // namespace graft::formats
