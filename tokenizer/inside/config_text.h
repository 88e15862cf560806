// A tokenizer_config.json for tokenizers without one.
#pragma once
#include <cstdint>
#include <string>

namespace graft {

/// {"chat_template": .., "model_max_length": ..} leaving out what is empty or 0; "" if both are.
std::string config_text(const std::string& chat_template, std::int64_t longest);

}  // namespace graft
