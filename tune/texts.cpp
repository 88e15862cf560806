#include "tune/texts.h"

#include <algorithm>

#include "autograd/errors.h"
#include "tokenizer/chat.h"
#include "tune/inside/run_file.h"

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

std::vector<Id> encode(const Tokenizer& tokenizer, const std::string& words, const std::function<void(const std::string&)>& note,
                       Specials specials) {
  std::size_t dropped = 0;
  const std::vector<TokenId> ids = tokenizer.encode(words, specials, &dropped);
  if (dropped > 0) note(text(dropped, dropped == 1 ? " byte is" : " bytes are", " not in this vocabulary, and left out"));
  return {ids.begin(), ids.end()};
}

Texts texts_of(Loaded& loaded, const Tokenizer& tokenizer, const TextOptions& options) {
  add_ends(loaded, tokenizer);
  Texts texts;
  texts.end = loaded.eos;
  const Tokenizer::Parts& parts = tokenizer.parts();
  if (!options.no_bos) texts.begin.assign(parts.before.begin(), parts.before.end());
  if (options.bos && texts.begin.empty()) {
    const Id bos = loaded.bos >= 0 ? loaded.bos : parts.bos;
    expect<ValueError>(bos >= 0, loaded.path, " names no beginning-of-text token (bos), so none can be added");
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
  const std::optional<RunFile> run = read_run(folder + "/run.json");
  if (!run) return {};
  return run->texts.value_or(Texts{});
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
