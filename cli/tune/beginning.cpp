#include "cli/tune/beginning.h"

#include <filesystem>

#include "autograd/errors.h"
#include "cli/fingerprint.h"
#include "cli/tune/folder.h"
#include "formats/file.h"

namespace graft::cli {

using nlohmann::json;

json marks_of(const std::vector<std::string>& files) {
  json all = json::object();
  for (const std::string& file : files)
    if (!file.empty()) all[file] = text(std::hex, fingerprint(formats::read_text(file)));
  return all;
}

void write_beginning(const std::string& file, const Beginning& b) {
  write_json(file, {{"graft", GRAFT_VERSION}, {"threads", b.threads}, {"data", b.data}, {"options", b.options}});
}

std::optional<Beginning> read_beginning(const std::string& file) {
  if (!std::filesystem::exists(file)) return {};
  const json run = json::parse(formats::read_text(file), nullptr, false);
  const auto is = [&](const char* key, bool (json::*kind)() const noexcept) { return run.contains(key) && (run[key].*kind)(); };
  if (!run.is_object() || !is("options", &json::is_object) || !is("data", &json::is_object) ||
      !is("threads", &json::is_number_integer))
    return {};
  return Beginning{run["options"], run["data"], run["threads"]};
}

}  // namespace graft::cli
