// ChatML, the turns that SmolLM2 and many others were trained on. The one template is written here; a model file's own
// template is a program from a stranger and is never run.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/tokenizer.h"

namespace graft {

struct Message {
  std::string role, content;  ///< role: system, user or assistant
};

/// What SmolLM2's template says first when nobody else does.
inline constexpr std::string_view smollm2_system = "You are a helpful AI assistant named SmolLM, trained by Hugging Face";

/// <|im_start|>role\ncontent<|im_end|>\n ... and, to be answered, <|im_start|>assistant\n. Contents are encoded as plain text,
/// so that nobody can close his turn from inside. If the first message is not the system's, default_system is put before it
/// (empty: nothing is). Errors: FormatError if the vocabulary lacks the two markers as special tokens, ValueError for a role.
std::vector<TokenId> chatml(const Tokenizer& tokenizer, const std::vector<Message>& messages, bool to_be_answered = true,
                            std::string_view default_system = {});

/// What a model's own template would do.
struct ChatStyle {
  enum class Kind {
    none,    ///< there is no template
    chatml,  ///< the same as chatml() with this default_system
    other    ///< something else, or something that cannot be told without running it
  };
  Kind kind = Kind::none;
  std::string default_system;  ///< what it says first when nobody else does; empty: nothing
};

/// Recognizes ChatML by its form: a loop over the messages that writes each turn, and perhaps, before the first one that is not
/// the system's, a system turn. The program is read, never run; all that is not exactly this is `other`.
ChatStyle chat_style(std::string_view chat_template);

}  // namespace graft
