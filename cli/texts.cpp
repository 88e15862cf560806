#include "cli/texts.h"

#include <algorithm>
#include <iostream>

#include "autograd/errors.h"
#include "cli/printable.h"
#include "cli/tune/beginning.h"
#include "tokenizer/chat.h"

namespace graft::cli {

void Texts::put_begin(std::vector<Id>& ids) const {
  const bool there = ids.size() >= begin.size() && std::equal(begin.begin(), begin.end(), ids.begin());
  if (!there) ids.insert(ids.begin(), begin.begin(), begin.end());
}

Texts texts_of(Loaded& loaded, const Tokenizer& tokenizer, const TextOptions& options) {
  add_ends(loaded, tokenizer);
  Texts texts;
  texts.end = loaded.eos;
  const Tokenizer::Parts& parts = tokenizer.parts();
  if (!options.no_bos) texts.begin.assign(parts.before.begin(), parts.before.end());
  if (options.bos && texts.begin.empty()) {
    const Id bos = loaded.bos >= 0 ? loaded.bos : parts.bos;
    expect<ValueError>(bos >= 0, "--bos: ", loaded.path, " names no token for the beginning of a text");
    texts.begin = {bos};
  }
  for (const Id id : texts.begin)
    expect<ValueError>(id < loaded.model->vocabulary(), loaded.path, ": the token ", id, ", which the tokenizer puts before a ",
                       "text, is beyond the model's ", loaded.model->vocabulary(), " rows; --no-bos leaves it out");
  if (!options.system.empty()) texts.system = options.system;
  else if (!options.no_system) texts.system = chat_style(parts.chat_template).default_system;
  return texts;
}

Texts texts_with_adapter(Loaded& loaded, const Tokenizer& tokenizer, const TextOptions& options, const std::string& adapter) {
  Texts texts = texts_of(loaded, tokenizer, options);
  if (adapter.empty()) return texts;
  const std::optional<Beginning> run = read_beginning(adapter + "/run.json");
  if (!run) return texts;
  const Texts then = run->texts.value_or(Texts{});  // runs that kept none put nothing there
  if (!options.bos && !options.no_bos) texts.begin = then.begin;
  if (options.system.empty() && !options.no_system) texts.system = then.system;
  return texts;
}

std::string about_template(const Tokenizer& tokenizer, const Texts& texts) {
  const ChatStyle style = chat_style(tokenizer.parts().chat_template);
  if (style.kind == ChatStyle::Kind::other)
    return "the model has a chat template of its own, which is not the ChatML that graft knows and which graft does not run; "
           "turns are written in ChatML";
  if (style.default_system.empty()) return "";
  if (style.default_system == texts.system)
    return "chats without a system turn begin with the model's own, \"" + printable(texts.system) + "\"; --no-system leaves it out";
  return "the model's own system turn, \"" + printable(style.default_system) + "\", is not used";
}

Tokenizer tokenizer_for(const std::string& path) {
  Tokenizer tokenizer = load_tokenizer_of(path);
  for (const std::string& warning : tokenizer.parts().warnings) std::cerr << "graft: " << printable(warning) << std::endl;
  return tokenizer;
}

}  // namespace graft::cli
