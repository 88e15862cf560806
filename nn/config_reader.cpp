// Reading a config.json field by field: a message names the file, the field, what it is and what it should be.
#include "nn/inside/config_reader.h"

#include <algorithm>
#include <cmath>

namespace graft {

using nlohmann::json;

namespace {
std::string shown(const json& value) {
  const std::string all = value.dump(-1, ' ', false, json::error_handler_t::replace);
  return all.size() > 60 ? all.substr(0, 60) + "..." : all;
}
}  // namespace

json parse_config(const std::string& text, const std::string& source) {
  const auto shallow = [&](int depth, json::parse_event_t, json&) {
    expect<FormatError>(depth < 32, source, ": nested deeper than 32 levels");
    return true;
  };
  try {
    return json::parse(text, shallow);
  } catch (const json::exception& e) { throw FormatError(graft::text(source, ": this is not JSON: ", e.what())); }
}

ConfigReader::ConfigReader(const json& object, std::string source, std::string path)
    : object_(&object),
      source_(std::move(source)),
      path_(std::move(path)) {
  expect<FormatError>(object.is_object(), source_, ": ", path_.empty() ? "the file" : path_.substr(0, path_.size() - 1),
                      " must be a JSON object, but is ", object.type_name());
}

const json* ConfigReader::find(const std::string& field) const {
  asked_.insert(field);
  const auto found = object_->find(field);
  return found == object_->end() || found->is_null() ? nullptr : &*found;
}
bool ConfigReader::has(const char* field) const { return find(field) != nullptr; }

const json& ConfigReader::need(const std::string& field) const {
  const json* found = find(field);
  expect<FormatError>(found != nullptr, source_, ": the field ", path_, field, " is missing");
  return *found;
}

void ConfigReader::wrong(const std::string& field, const std::string& expected, const json& found) const {
  throw FormatError(text(source_, ": the field ", path_, field, " is ", shown(found), ", but must be ", expected));
}

Index ConfigReader::size(const std::string& field) const {
  const json& j = need(field);
  constexpr Index most = (Index(1) << 31) - 1;
  const bool whole = j.is_number_unsigned() && j.get<std::uint64_t>() <= static_cast<std::uint64_t>(most);
  if (!whole || j.get<Index>() < 1) wrong(field, "a whole number from 1", j);
  return j.get<Index>();
}
Index ConfigReader::size(const std::string& field, Index otherwise) const { return find(field) ? size(field) : otherwise; }

double ConfigReader::number(const std::string& field) const {
  const json& j = need(field);
  if (!j.is_number() || !std::isfinite(j.get<double>())) wrong(field, "a number", j);
  return j.get<double>();
}
double ConfigReader::number(const std::string& field, double otherwise) const {
  return find(field) ? number(field) : otherwise;
}

bool ConfigReader::flag(const std::string& field, bool otherwise) const {
  const json* j = find(field);
  if (!j) return otherwise;
  if (!j->is_boolean()) wrong(field, "true or false", *j);
  return j->get<bool>();
}

std::string ConfigReader::word(const std::string& field) const {
  const json& j = need(field);
  if (!j.is_string()) wrong(field, "a text", j);
  return j.get<std::string>();
}
std::string ConfigReader::word(const std::string& field, const std::string& otherwise) const {
  return find(field) ? word(field) : otherwise;
}

std::string ConfigReader::first_word(const std::string& field, const std::string& otherwise) const {
  const json* j = find(field);
  if (!j) return otherwise;
  if (!j->is_array() || j->size() != 1 || !(*j)[0].is_string()) wrong(field, "a list of one text", *j);
  return (*j)[0].get<std::string>();
}

std::vector<Id> ConfigReader::tokens(const std::string& field, Index vocabulary) const {
  const json* j = find(field);
  if (!j) return {};
  std::vector<Id> ids;
  for (const json& one : j->is_array() ? *j : json::array({*j})) {
    if (one.is_number_integer() && one == -1) continue;  // some configurations write -1 for none
    if (!one.is_number_unsigned()) wrong(field, "the id of a token", *j);
    // Defaults of transformers may lie beyond a small vocabulary: they never occur.
    if (one.get<std::uint64_t>() < static_cast<std::uint64_t>(vocabulary)) ids.push_back(one.get<Id>());
  }
  return ids;
}

Id ConfigReader::token(const std::string& field, Index vocabulary) const {
  const std::vector<Id> all = tokens(field, vocabulary);
  return all.empty() ? -1 : all.front();
}

bool ConfigReader::is_word(const std::string& field) const {
  const json* j = find(field);
  return j && j->is_string();
}

std::vector<std::string> ConfigReader::words(const std::string& field) const {
  const json* j = find(field);
  if (!j) return {};
  std::vector<std::string> all;
  for (const json& one : j->is_array() ? *j : json::array({*j})) {
    if (!one.is_string()) wrong(field, "a text or a list of texts", *j);
    all.push_back(one.get<std::string>());
  }
  return all;
}

std::vector<std::int64_t> ConfigReader::integers(const std::string& field) const {
  const json* j = find(field);
  if (!j) return {};
  std::vector<std::int64_t> all;
  for (const json& one : j->is_array() ? *j : json::array({*j})) {
    if (!one.is_number_integer()) wrong(field, "a whole number or a list of them", *j);
    all.push_back(one.get<std::int64_t>());
  }
  return all;
}

namespace {
/// Does such a value mean "off", whatever the field is?
bool says_nothing(const json& value) {
  if (value.is_boolean()) return !value.get<bool>();
  if (value.is_number()) return value.get<double>() == 0;
  if (value.is_string()) return value.get_ref<const std::string&>().empty();
  return value.is_null() || (value.is_array() && value.empty());  // not {}: all its defaults, of something that is on
}
}  // namespace

void ConfigReader::expect_all_known(std::initializer_list<std::string> harmless, const std::string& way_round) const {
  for (const auto& entry : object_->items()) {
    const std::string& field = entry.key();
    if (asked_.count(field) || std::find(harmless.begin(), harmless.end(), field) != harmless.end()) continue;
    expect<FormatError>(says_nothing(entry.value()), source_, ": the field ", path_, field, " is ", shown(entry.value()),
                        ", and graft does not know what that changes; ", way_round);
  }
}

void ConfigReader::refuse(const std::string& field, const std::string& what) const {
  throw FormatError(text(source_, ": the field ", path_, field, " is ", what, ", which graft does not compute"));
}

ConfigReader ConfigReader::inner(const std::string& field) const {
  return ConfigReader(need(field), source_, path_ + field + ".");
}

void ConfigReader::only(const std::string& field, bool supported) const {
  expect<FormatError>(flag(field, supported) == supported, source_, ": the field ", path_, field, " is ",
                      supported ? "false" : "true", ", which graft does not compute");
}

void ConfigReader::expect_one_of(const std::string& field, const std::string& found,
                                 std::initializer_list<std::string> known) const {
  std::string list;
  for (const std::string& k : known) {
    if (k == found) return;
    list += " " + k;
  }
  throw FormatError(
      text(source_, ": the field ", path_, field, " is \"", found, "\", which graft does not know; known are", list));
}

}  // namespace graft
