// The contents of a Hugging Face config.json: the architecture, its sizes, and every option that changes a number. What graft
// does not compute is refused, not ignored.
#pragma once
#include <string>
#include <variant>
#include <vector>

#include "nn/gpt2.h"
#include "nn/llama.h"

namespace graft {

struct ModelConfig {
  std::variant<Gpt2Config, LlamaConfig> sizes;
  enum class Head { language, sequence, token };
  Head head = Head::language;
  std::vector<std::string> labels;  ///< of a classifier, of sequences or of tokens
  real head_dropout = 0;            ///< before the head of a token classifier
  std::string problem;              ///< problem_type, which chooses transformers' loss; empty: not given
  Id bos = -1, pad = -1;            ///< -1: none
  std::vector<Id> ends;             ///< eos_token_id, one or several
};

/// Errors: FormatError names `source`, the field, what was found and what is known.
ModelConfig read_config(const std::string& json, const std::string& source);
/// As transformers reads it; dtype "float32", "float16" or "bfloat16".
std::string write_config(const ModelConfig& config, const std::string& dtype);
/// The model, not initialized. Errors: ValueError
std::unique_ptr<Model> make_model(const ModelConfig& config);

}  // namespace graft
