#include "cli/texts.h"

#include "cli/printable.h"
#include "tokenizer/chat.h"

namespace graft::cli {

std::string about_template(const Tokenizer& tokenizer, const Texts& texts) {
  const ChatStyle style = chat_style(tokenizer.parts().chat_template);
  if (style.kind == ChatStyle::Kind::other)
    return "the model's chat template is not ChatML, the only one that graft supports, and graft does not run templates; "
           "turns are written in ChatML";
  if (style.default_system.empty()) return "";
  if (style.default_system == texts.system)
    return "chats without a system turn begin with the model's own, \"" + printable(texts.system) + "\"; --no-system leaves it out";
  return "the model's own system turn, \"" + printable(style.default_system) + "\", is not used";
}

Tokenizer tokenizer_for(const std::string& path) {
  Tokenizer tokenizer = load_tokenizer_of(path);
  for (const std::string& warning : tokenizer.parts().warnings) tell(warning);
  return tokenizer;
}

}  // namespace graft::cli
