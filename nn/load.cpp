#include "nn/load.h"

#include <algorithm>
#include <filesystem>

#include "formats/gguf.h"
#include "nn/inside/load.h"
#include "tokenizer/files.h"
#include "tokenizer/gguf.h"

namespace graft {
namespace {

namespace fs = std::filesystem;

/// Errors: FileError if there is nothing at the path, or neither a folder nor a file.
bool is_folder(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  expect<FileError>(fs::exists(status), path, ": there is no such file or folder");
  return fs::is_directory(status);
}

}  // namespace

Loaded load_model(const std::string& path) { return is_folder(path) ? load_hugging_face(path) : load_gguf(path); }

void add_ends(Loaded& loaded, const Tokenizer& tokenizer) {
  const Tokenizer::Parts& parts = tokenizer.parts();
  const Id eos = parts.eos;
  if (eos < 0 || eos >= loaded.model->vocabulary()) return;
  const bool named = parts.beside.count("tokenizer_config.json") + parts.beside.count("special_tokens_map.json") > 0;
  if (!named && loaded.eos >= 0) return;
  loaded.ends.erase(std::remove(loaded.ends.begin(), loaded.ends.end(), eos), loaded.ends.end());
  loaded.ends.insert(loaded.ends.begin(), eos);
  loaded.eos = eos;
}

Tokenizer load_tokenizer_of(const std::string& path) {
  if (is_folder(path)) return load_tokenizer(path);
  const formats::Gguf g(path);
  GgufVocabulary v;
  v.source = path;
  v.model = g.text("tokenizer.ggml.model");
  v.pre = g.has("tokenizer.ggml.pre") ? g.text("tokenizer.ggml.pre") : "";
  v.tokens = g.texts("tokenizer.ggml.tokens");
  if (g.has("tokenizer.ggml.token_type"))
    for (const std::int64_t type : g.integers("tokenizer.ggml.token_type")) v.types.push_back(static_cast<std::int32_t>(type));
  v.merges = g.texts("tokenizer.ggml.merges");
  v.bos = g.integer("tokenizer.ggml.bos_token_id", -1);
  v.eos = g.integer("tokenizer.ggml.eos_token_id", -1);
  v.unk = g.integer("tokenizer.ggml.unknown_token_id", -1);
  v.pad = g.integer("tokenizer.ggml.padding_token_id", -1);
  v.add_bos = g.boolean("tokenizer.ggml.add_bos_token", false);
  v.add_eos = g.boolean("tokenizer.ggml.add_eos_token", false);
  if (g.has("tokenizer.chat_template")) v.chat_template = g.text("tokenizer.chat_template");
  v.context = g.integer("llama.context_length", 0);
  return from_gguf(std::move(v));
}

}  // namespace graft
