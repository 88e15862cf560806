#include "tune/inside/run_file.h"

#include <algorithm>
#include <filesystem>
#include <limits>

#include "formats/file.h"

namespace graft::tune {

using nlohmann::json;

std::optional<RunFile> read_run(const std::string& file) {
  if (!std::filesystem::exists(file)) return {};
  const json run = json::parse(formats::read_text(file), nullptr, false);
  const auto is = [&](const char* key, bool (json::*kind)() const noexcept) { return run.contains(key) && (run[key].*kind)(); };
  if (!run.is_object() || !is("options", &json::is_object) || !is("data", &json::is_object) ||
      !is("threads", &json::is_number_integer))
    return {};
  RunFile all{run["options"], run["data"], run["threads"], {}};
  if (!run.contains("texts")) return all;
  const json& texts = run["texts"];
  const auto id = [](const json& value) {  // other numbers would be cast to some id
    return value.is_number_integer() && value >= -1 && value <= std::numeric_limits<Id>::max();
  };
  try {
    const json& begin = texts.at("begin");
    if (!begin.is_array() || !std::all_of(begin.begin(), begin.end(), id) || !id(texts.at("end"))) return {};
    all.texts = Texts{begin, texts.at("system"), texts.at("end")};
  } catch (const json::exception&) { return {}; }
  return all;
}

}  // namespace graft::tune
