// ChatML, the turns that SmolLM2 and many others were trained on. This template is built in; a model file's own template is
// an untrusted program and is never run.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/tokenizer.h"

namespace graft {

struct Message {
  std::string role, content;  ///< role: system, user or assistant
};

/// The system message that SmolLM2's template adds if there is none.
inline constexpr std::string_view smollm2_system = "You are a helpful AI assistant named SmolLM, trained by Hugging Face";

/// <|im_start|>role\ncontent<|im_end|>\n ... and, if to_be_answered, <|im_start|>assistant\n. Contents are encoded as plain
/// text, so that they cannot end their turn. If the first message is not the system's, default_system is put before it
/// unless empty. Errors: FormatError if the vocabulary lacks the two special tokens, ValueError for another role.
std::vector<TokenId> chatml(const Tokenizer& tokenizer, const std::vector<Message>& messages, bool to_be_answered = true,
                            std::string_view default_system = {});

/// What a model's own template would do.
struct ChatStyle {
  enum class Kind {
    none,    ///< there is no template
    chatml,  ///< the same as chatml() with this default_system
    other    ///< something else, or something that cannot be recognized without running it
  };
  Kind kind = Kind::none;
  std::string default_system;  ///< the system message that it adds if there is none; empty: it adds none
};

/// Recognizes ChatML by its form: a loop over the messages that writes each turn and may write a system turn first if the
/// first message is not the system's. The program is read, never run; anything that is not exactly this is `other`.
ChatStyle chat_style(std::string_view chat_template);

}  // namespace graft
