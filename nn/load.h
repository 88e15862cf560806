// Models from files and back: Hugging Face folders (config.json + safetensors, sharded or not) and GGUF files.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "nn/classifier.h"
#include "nn/model.h"
#include "nn/token_classifier.h"
#include "tokenizer/tokenizer.h"

namespace graft {

/// A loaded model: a language model, or a classifier of sequences or of tokens around one.
struct Loaded {
  std::unique_ptr<Module> root;                 ///< the Model, the Classifier or the TokenClassifier
  Model* model = nullptr;                       ///< inside root
  Classifier* classifier = nullptr;             ///< null for another kind
  TokenClassifier* token_classifier = nullptr;  ///< null for another kind
  std::string path, format;                     ///< "Hugging Face folder" or "GGUF"
  Id bos = -1, eos = -1, pad = -1;              ///< as the files say; -1: none
  std::string problem;                          ///< transformers' problem_type, kept for the files; empty: not said
  std::vector<Id> ends;                         ///< all that end a text: eos, and others where the files name several
  std::vector<std::string> notes;               ///< for the user: contradictions in the files, and which side was taken
  std::map<std::string, std::string> beside;    ///< small files that save_model() copies: generation_config.json
};

/// Loads a Hugging Face folder or a .gguf file. Weights are copied into memory one tensor at a time; packed blocks of a GGUF
/// file stay packed and mapped. All are trainable except packed ones.
/// Errors: FileError, FormatError: a missing tensor, a wrong shape or dtype, an unknown architecture, block type or option.
Loaded load_model(const std::string& path);
/// The tokenizer that belongs to it. Errors: FormatError if there is none.
Tokenizer load_tokenizer_of(const std::string& path);
/// What tokenizer_config.json names as eos joins loaded.ends, and is the one trained (loaded.eos), as in TRL; a mere guess,
/// <|endoftext|> of a tokenizer without such a file, only where the model's own files name none.
void add_ends(Loaded& loaded, const Tokenizer& tokenizer);
/// Writes config.json and model.safetensors (and tokenizer.json, if given), with the small files that came with them, each whole or
/// not at all, for transformers to read.
/// dtype "F32", "F16" or "BF16". Packed weights are written as numbers. progress(done, all) comes before each tensor; if it
/// throws, no file is begun or replaced after that.
void save_model(const Loaded& loaded, const std::string& folder, const std::string& dtype = "F32",
                const Tokenizer* tokenizer = nullptr, const std::function<void(Index done, Index all)>& progress = {});
/// The same for a module made in code, a Model, Classifier or TokenClassifier: save_model(model, "folder", &tokenizer).
/// config.json then has the tokenizer's special tokens. Errors: also ValueError for another module.
void save_model(Module& root, const std::string& folder, const Tokenizer* tokenizer = nullptr,
                const std::string& dtype = "F32");

}  // namespace graft
