// A tiny GPT with a tokenizer, made here, and files of examples for it.
#pragma once
#include <memory>
#include <string>

#include "formats/file.h"
#include "nn/gpt2.h"
#include "nn/load.h"
#include "tests/formats/scratch_folder.h"
#include "tests/train/words.h"

namespace graft::tune {

using train::tokenizer;

inline Loaded small_model(std::uint64_t seed = 1) {
  Gpt2Config c;
  c.vocabulary = static_cast<Index>(tokenizer().size()), c.context = 32, c.dim = 16, c.layers = 2, c.heads = 2;
  auto model = std::make_unique<Gpt2>(c);
  Rng rng(seed);
  model->initialize(rng);
  Loaded loaded;
  loaded.model = model.get(), loaded.root = std::move(model);
  loaded.bos = loaded.eos = tokenizer().id("<|endoftext|>"), loaded.ends = {loaded.eos};
  return loaded;
}

struct Files {
  formats::ScratchFolder folder;

  std::string file(const std::string& name, const std::string& content) const {
    formats::write_text(folder.path(name), content);
    return folder.path(name);
  }
  /// Reviews whose class is told by one word.
  std::string reviews(int count) const {
    const char *nouns[] = {"cat", "dog", "mat"}, *verbs[] = {"sat on", "ate"};
    std::string all;
    for (int i = 0; i < count; ++i)
      all += std::string(R"({"text": "the )") + nouns[i % 3] + " " + verbs[i % 2] + R"( it", "label": ")" +
             (i % 2 == 0 ? "good" : "bad") + "\"}\n";
    return file("reviews.jsonl", all);
  }
  std::string pairs(int count) const {
    const char* nouns[] = {"cat", "dog", "mat"};
    std::string all;
    for (int i = 0; i < count; ++i)
      all += std::string(R"({"prompt": "the )") + nouns[i % 3] + R"(", "completion": ")" + (i % 3 == 0 ? " sat on the mat" : " ate") +
             "\"}\n";
    return file("pairs.jsonl", all);
  }
};

}  // namespace graft::tune
