#include "tokenizer/gguf.h"

#include "autograd/errors.h"
#include "tokenizer/inside/config_text.h"

namespace graft {

namespace {

PreTokenizer pre_tokenizer(const GgufVocabulary& from) {
  if (from.pre == "smollm") return PreTokenizer::smollm;
  if (from.pre.empty() || from.pre == "default") return PreTokenizer::unnamed;
  expect<FormatError>(from.pre == "gpt-2" || from.pre == "gpt2", from.source, ": tokenizer.ggml.pre is \"", from.pre,
                      "\"; supported are \"smollm\", \"gpt-2\", \"gpt2\" and \"default\"");
  return PreTokenizer::gpt2;
}

}  // namespace

Tokenizer from_gguf(GgufVocabulary from) {
  expect<FormatError>(from.model == "gpt2", from.source, ": tokenizer.ggml.model is \"", from.model,
                      "\"; supported is \"gpt2\", byte-level BPE");
  expect<FormatError>(from.types.empty() || from.types.size() == from.tokens.size(), from.source,
                      ": tokenizer.ggml.token_type has ", from.types.size(), " entries for ", from.tokens.size(), " tokens");
  Tokenizer::Parts parts;
  parts.source = from.source;
  parts.pre = pre_tokenizer(from);
  const auto end = [&](const char* name, std::int64_t id) {
    expect<FormatError>(id >= -1 && id < static_cast<std::int64_t>(from.tokens.size()), from.source, ": tokenizer.ggml.", name,
                        "_token_id is ", id, ", but there are ", from.tokens.size(), " tokens");
    return static_cast<TokenId>(id);
  };
  parts.bos = end("bos", from.bos);
  parts.eos = end("eos", from.eos);
  parts.unk = end("unknown", from.unk);
  parts.pad = end("padding", from.pad);
  if (from.add_bos && parts.bos >= 0) parts.before.push_back(parts.bos);
  if (from.add_eos && parts.eos >= 0) parts.after.push_back(parts.eos);
  if (parts.pre == PreTokenizer::unnamed)
    parts.warnings.push_back(from.source + ": tokenizer.ggml.pre " + (from.pre.empty() ? "is missing" : "is \"default\"") +
                             ", so the model's pre-tokenizer is unknown; texts are split with llama.cpp's default, which may "
                             "give other ids than in training. A newer conversion of the model names its pre-tokenizer");
  parts.chat_template = from.chat_template;
  if (std::string config = config_text(from.chat_template, from.context); !config.empty())
    parts.beside["tokenizer_config.json"] = std::move(config);
  for (std::size_t i = 0; i < from.types.size(); ++i) {
    if (from.types[i] == 2 || from.types[i] == 3) parts.specials.push_back(static_cast<TokenId>(i));
    if (from.types[i] == 4) parts.added.push_back(static_cast<TokenId>(i));
  }
  parts.merges.reserve(from.merges.size());
  for (std::size_t i = 0; i < from.merges.size(); ++i) {
    const std::string& both = from.merges[i];
    const std::size_t space = both.find(' ');
    expect<FormatError>(space != std::string::npos && both.find(' ', space + 1) == std::string::npos, from.source,
                        ": tokenizer.ggml.merges[", i, "] is \"", both, "\", expected two tokens with one space between");
    parts.merges.emplace_back(both.substr(0, space), both.substr(space + 1));
  }
  parts.tokens = std::move(from.tokens);
  return Tokenizer(std::move(parts));
}

}  // namespace graft
