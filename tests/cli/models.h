// A tiny Llama with a tokenizer, made once, as a Hugging Face folder: enough to write nonsense with. What its numbers should
// be is no question here; the fixtures are for that.
#pragma once
#include "autograd/sizes.h"
#include "nn/llama.h"
#include "nn/load.h"
#include "tests/cli/process.h"
#include "tokenizer/train.h"

namespace graft::testing {

inline const std::vector<std::string>& chat_markers() {
  static const std::vector<std::string> all{"<|endoftext|>", "<|im_start|>", "<|im_end|>"};
  return all;
}

class TinyModel {
 public:
  /// more: what its tokenizer is to know beside the cat.
  explicit TinyModel(const std::string& more = "", std::size_t vocabulary = 280) : path_((folder_ / "tiny").string()) {
    const std::string words = "the cat sat on the mat and the cat ate the rat that sat on the mat. " + more;
    Tokenizer tokenizer = train_tokenizer({words, words, words}, vocabulary, PreTokenizer::gpt2, chat_markers());
    LlamaConfig c;
    c.vocabulary = size_of(tokenizer);
    c.context = 64;
    c.dim = 16;
    c.hidden = 24;
    c.layers = 3;
    c.heads = 2;
    c.kv_heads = 1;
    auto model = std::make_unique<Llama>(c);
    Rng rng(1);
    model->initialize(rng);
    Loaded loaded;
    loaded.model = model.get();
    loaded.root = std::move(model);
    fs::create_directory(path_);
    save_model(loaded, path_, "F32", &tokenizer);
  }
  const std::string& path() const { return path_; }
  const TemporaryFolder& beside() const { return folder_; }

 private:
  TemporaryFolder folder_;
  std::string path_;
};

inline const std::string& tiny() {
  static const TinyModel model;
  return model.path();
}

}  // namespace graft::testing
