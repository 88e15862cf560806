#include "peft/inside/adapter_config.h"

#include <algorithm>

#include "formats/file.h"

namespace graft::peft {

using Json = nlohmann::json;

const char* const way_round_a_field =
    "if it changes nothing, --ignore-field NAME (C++: AdapterOptions::ignored_fields) reads the adapter without it";

namespace {
std::string text_of(const std::string& path) {
  constexpr std::size_t most = std::size_t(1) << 20;  // naming each layer of a large model takes a tenth of it
  std::string all = formats::read_text(path);
  expect<FormatError>(all.size() <= most, path, ": ", all.size(), " bytes are too many for an adapter_config.json; at ",
                      "most ", most, " are read");
  return all;
}
}  // namespace

AdapterJson::AdapterJson(const std::string& path, const std::vector<std::string>& ignored)
    : text(text_of(path)),
      json(parse_config(text, path)) {
  expect<FormatError>(json.is_object(), path, ": it must hold an object, not ", json.type_name());
  for (const std::string& field : ignored) {
    json.erase(field);
    if (json.contains("config") && json["config"].is_object()) json["config"].erase(field);  // AdapterHub's
  }
}

AdapterConfig::AdapterConfig(const std::string& path, const std::vector<std::string>& ignored)
    : AdapterJson(path, ignored),
      ConfigReader(json, path, ""),
      path_(path) {}

std::vector<std::pair<std::string, Json>> AdapterConfig::entries_of(const std::string& field) const {
  const Json* object = find(field);
  if (!object) return {};
  if (!object->is_object()) refuse(field, object->type_name());
  // Json keeps keys sorted: their order is read once more. A repeated key has its first place, its last value.
  std::vector<std::string> keys;
  bool inside = false;
  const Json again = Json::parse(text, [&](int depth, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::key && depth == 1) {
      inside = value.get_ref<const std::string&>() == field;
      if (inside) keys.clear();  // of two objects of this name the last one counts
    } else if (event == Json::parse_event_t::key && depth == 2 && inside) {
      keys.push_back(value.get<std::string>());
    }
    return true;
  });
  (void)again;
  std::vector<std::pair<std::string, Json>> entries;
  std::set<std::string> known;
  for (const std::string& key : keys)
    if (object->contains(key) && known.insert(key).second) entries.emplace_back(key, object->at(key));
  return entries;
}

Regex AdapterConfig::regex(const std::string& expression, const std::string& field) const {
  return Regex(expression, graft::text(path_, ": the field ", field), budget_);
}

void AdapterConfig::expect_all_known(std::initializer_list<std::string> harmless) const {
  // Where the base came from and who wrote the file; runtime_config is dropped by PEFT, too.
  for (const char* field : {"peft_type", "task_type", "auto_mapping", "base_model_name_or_path", "revision", "peft_version",
                            "inference_mode", "runtime_config"})
    (void)find(field);
  ConfigReader::expect_all_known(harmless, way_round_a_field);
}

}  // namespace graft::peft
