#include "tokenizer/chat.h"

#include "autograd/errors.h"

namespace graft {

std::vector<TokenId> chatml(const Tokenizer& tokenizer, const std::vector<Message>& messages, bool to_be_answered,
                            std::string_view default_system) {
  const auto marker = [&](const char* name) {
    const TokenId id = tokenizer.id(name);
    expect<FormatError>(id >= 0 && tokenizer.is_special(id), "chatml: ", tokenizer.parts().source, " has no special token ",
                        name, "; ChatML needs <|im_start|> and <|im_end|>. Use a model trained to chat, or prompts and completions");
    return id;
  };
  const TokenId start = marker("<|im_start|>"), end = marker("<|im_end|>");
  std::vector<TokenId> ids;
  const auto say = [&](std::string_view text) {
    const std::vector<TokenId> more = tokenizer.encode(text);
    ids.insert(ids.end(), more.begin(), more.end());
  };
  const auto turn = [&](const std::string& role, std::string_view content) {
    ids.push_back(start);
    say(role + "\n" + std::string(content));
    ids.push_back(end);
    say("\n");
  };
  if (!default_system.empty() && (messages.empty() || messages[0].role != "system")) turn("system", default_system);
  for (const Message& message : messages) {
    const bool known = message.role == "system" || message.role == "user" || message.role == "assistant";
    expect<ValueError>(known, "chatml: the role \"", message.role, "\" is not one of system, user, assistant");
    turn(message.role, message.content);
  }
  if (to_be_answered) {
    ids.push_back(start);
    say("assistant\n");
  }
  return ids;
}

}  // namespace graft
