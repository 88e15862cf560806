#include "tune/texts.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>

#include "autograd/errors.h"
#include "formats/file.h"
#include "tokenizer/chat.h"

namespace graft::tune {

void Texts::put_begin(std::vector<Id>& ids) const {
  const bool there = ids.size() >= begin.size() && std::equal(begin.begin(), begin.end(), ids.begin());
  if (!there) ids.insert(ids.begin(), begin.begin(), begin.end());
}

train::ReadOptions Texts::reading() const {
  train::ReadOptions reading;
  reading.begin = begin, reading.system = system, reading.end = end;
  return reading;
}

Texts texts_of(Loaded& loaded, const Tokenizer& tokenizer, const TextOptions& options) {
  add_ends(loaded, tokenizer);
  Texts texts;
  texts.end = loaded.eos;
  const Tokenizer::Parts& parts = tokenizer.parts();
  if (!options.no_bos) texts.begin.assign(parts.before.begin(), parts.before.end());
  if (options.bos && texts.begin.empty()) {
    const Id bos = loaded.bos >= 0 ? loaded.bos : parts.bos;
    expect<ValueError>(bos >= 0, loaded.path, " names no token for the beginning of a text (bos), so none can be put there");
    texts.begin = {bos};
  }
  for (const Id id : texts.begin)
    expect<ValueError>(id < loaded.model->vocabulary(), loaded.path, ": the token ", id, ", which the tokenizer puts before a ",
                       "text, is beyond the model's ", loaded.model->vocabulary(), " rows; leave it out (no-bos)");
  if (!options.system.empty()) texts.system = options.system;
  else if (!options.no_system) texts.system = chat_style(parts.chat_template).default_system;
  return texts;
}

std::optional<Texts> texts_of_run(const std::string& folder) {
  const std::string file = folder + "/run.json";
  if (!std::filesystem::exists(file)) return {};
  using nlohmann::json;
  const json run = json::parse(formats::read_text(file), nullptr, false);
  const auto is = [&](const char* key, bool (json::*kind)() const noexcept) { return run.contains(key) && (run[key].*kind)(); };
  if (!run.is_object() || !is("options", &json::is_object) || !is("data", &json::is_object) ||
      !is("threads", &json::is_number_integer))
    return {};
  if (!run.contains("texts")) return Texts{};
  const json& texts = run["texts"];
  const auto id = [](const json& value) {  // other numbers would be cast to some id
    return value.is_number_integer() && value >= -1 && value <= std::numeric_limits<Id>::max();
  };
  try {
    const json& begin = texts.at("begin");
    if (!begin.is_array() || !std::all_of(begin.begin(), begin.end(), id) || !id(texts.at("end"))) return {};
    return Texts{begin, texts.at("system"), texts.at("end")};
  } catch (const json::exception&) { return {}; }
}

Texts texts_with_adapter(Loaded& loaded, const Tokenizer& tokenizer, const TextOptions& options, const std::string& adapter) {
  Texts texts = texts_of(loaded, tokenizer, options);
  const std::optional<Texts> then = adapter.empty() ? std::nullopt : texts_of_run(adapter);
  if (!then) return texts;
  if (!options.bos && !options.no_bos) texts.begin = then->begin;
  if (options.system.empty() && !options.no_system) texts.system = then->system;
  return texts;
}

}  // namespace graft::tune
