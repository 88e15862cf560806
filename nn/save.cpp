// Writing a model as a Hugging Face folder: the inverse of load_hf.cpp. Fused and transposed tensors are made one at a time.
#include <cmath>
#include <filesystem>
#include <map>
#include <set>
#include <typeinfo>

#include "autograd/sizes.h"
#include "formats/safetensors.h"
#include "nn/config.h"
#include "nn/initialize.h"
#include "nn/layers.h"
#include "nn/load.h"
#include "nn/names.h"
#include "tokenizer/files.h"

namespace graft {
namespace {

namespace fs = std::filesystem;

/// A weight of the model, plain or packed, and how it is stored in the file.
struct Piece {
  FilePlace place;
  std::function<Tensor()> numbers;
  Shape shape;
};

/// The pieces of each tensor of the file, by name.
std::map<std::string, std::vector<Piece>> pieces_of(const Loaded& loaded) {
  std::map<std::string, std::vector<Piece>> all;
  std::set<const void*> seen;
  const std::string prefix = hugging_face_prefix(*loaded.model);
  loaded.root->each([&](const std::string& path, Part& part) {
    Piece piece;
    if (const auto* param = dynamic_cast<const Param*>(&part)) {
      if (!seen.insert(param->identity()).second) return;
      expect<ValueError>(param->initialized(), "save_model: the parameter ", path, " ", param->shape(),
                         " has no numbers yet; load the model from a file, or initialize() it");
      piece.numbers = [param] { return param->value(); };
      piece.shape = param->shape();
    } else if (const auto* packed = dynamic_cast<const PackedPart*>(&part)) {
      const PackedMatrix* W = packed->operator->();
      if (!seen.insert(W).second) return;
      piece.numbers = [W] { return dense(*W); };
      piece.shape = Shape{W->rows(), W->cols()};
    } else {
      return;
    }
    piece.place = hugging_face_place(*loaded.model, path, prefix);
    all[piece.place.name].push_back(std::move(piece));
  });
  return all;
}

/// Errors: ValueError if a number is too large for F16 (65504).
void expect_fits_half(const std::string& name, const std::vector<float>& numbers) {
  for (const float x : numbers)
    expect<ValueError>(!(std::abs(x) >= 65520.0f) || std::isinf(x), "save_model: ", name, " has the number ", x,
                       ", which is beyond F16; take BF16 or F32");
}

formats::Numbers assembled(const std::string& name, const std::vector<Piece>& pieces, bool half) {
  const Piece& first = pieces.front();
  expect<ValueError>(static_cast<int>(pieces.size()) == first.place.parts, "save_model: ", name, " is made of ",
                     first.place.parts, " parts, but the model has ", pieces.size());
  const bool matrix = first.shape.rank() == 2, transposed = first.place.transposed && matrix;
  const Index out = first.shape[0], in = matrix ? first.shape[1] : 1, wide = out * first.place.parts;
  formats::Numbers n;
  n.name = name;
  n.shape.assign(first.shape.begin(), first.shape.end());
  n.shape[0] = wide;
  if (transposed) std::swap(n.shape[0], n.shape[1]);
  n.make = [&pieces, name, out, in, wide, transposed, half] {
    std::vector<float> all(static_cast<std::size_t>(wide * in));
    for (const Piece& piece : pieces) {
      const Tensor t = piece.numbers();
      const Index first_out = out * piece.place.part;
      for (Index o = 0; o < out; ++o)
        for (Index i = 0; i < in; ++i)
          nth(all, transposed ? i * wide + first_out + o : (first_out + o) * in + i) =
              static_cast<float>(t[o * in + i]);
    }
    if (half) expect_fits_half(name, all);
    return all;
  };
  return n;
}

/// transformers makes no biases for a Llama whose configuration has none, and ignores those in the file.
void expect_no_stray_biases(const Model& model) {
  const auto* llama = dynamic_cast<const Llama*>(&model);
  if (!llama) return;
  for (const auto& named : model.parameters()) {
    if (!ends_with(named.first, ".bias")) continue;
    const bool attention = named.first.find(".attn.") != std::string::npos;
    expect<ValueError>(
        attention ? llama->config.attention_bias : llama->config.mlp_bias, "save_model: ", named.first,
        " has no place in a Llama without biases, and would be lost; use a configuration with biases, or train none");
  }
}

}  // namespace

void save_model(const Loaded& loaded, const std::string& folder, const std::string& dtype, const Tokenizer* tokenizer,
                const std::function<void(Index done, Index all)>& progress) {
  const std::map<std::string, std::pair<formats::Dtype, const char*>> known{{"F32", {formats::Dtype::F32, "float32"}},
                                                                            {"F16", {formats::Dtype::F16, "float16"}},
                                                                            {"BF16", {formats::Dtype::BF16, "bfloat16"}}};
  const auto as = known.find(dtype);
  expect<ValueError>(as != known.end(), "save_model: there is no dtype \"", dtype, "\"; take F32, F16 or BF16");
  ModelConfig config;
  if (const auto* gpt2 = dynamic_cast<const Gpt2*>(loaded.model)) config.sizes = gpt2->config;
  else if (const auto* llama = dynamic_cast<const Llama*>(loaded.model)) config.sizes = llama->config;
  else throw ValueError(text("save_model: a ", loaded.model->kind(), " has no Hugging Face format"));
  std::visit(
      [&](auto& sizes) {
        if (sizes.tied && !loaded.model->output().empty()) sizes.tied = is_tied(*loaded.model);
      },
      config.sizes);
  expect_no_stray_biases(*loaded.model);
  if (loaded.classifier) config.head = ModelConfig::Head::sequence, config.labels = loaded.classifier->labels;
  if (const TokenClassifier* tokens = loaded.token_classifier) {
    config.head = ModelConfig::Head::token, config.labels = tokens->labels;
    if (!tokens->drop.empty()) config.head_dropout = dynamic_cast<const Dropout&>(*tokens->drop).p;
  }
  config.problem = loaded.problem;
  config.bos = loaded.bos, config.ends = loaded.ends, config.pad = loaded.pad;

  const auto pieces = pieces_of(loaded);
  std::vector<formats::Numbers> tensors;
  for (const auto& entry : pieces) tensors.push_back(assembled(entry.first, entry.second, dtype == "F16"));
  if (progress)
    for (std::size_t i = 0; i < tensors.size(); ++i)
      tensors[i].make = [&progress, &tensors, i, make = std::move(tensors[i].make)] {
        progress(static_cast<Index>(i), size_of(tensors));
        return make();
      };

  const Memory& memory = *loaded.model->memory;
  const Template& around = *loaded.model->prompt_template;
  expect<ValueError>(
      typeid(memory) == typeid(Memory) && typeid(around) == typeid(Template),
      "save_model: the model has a memory or a template of its own, which these files cannot hold; take it off first");

  std::error_code error;
  fs::create_directories(folder, error);
  expect<FileError>(!error, folder, ": the folder cannot be made: ", error.message());
  const fs::path to(folder);
  formats::write_safetensors((to / "model.safetensors").string(), tensors, as->second.first);
  if (tokenizer) save_tokenizer(*tokenizer, folder);
  for (const auto& [name, content] : loaded.beside) formats::write_text((to / name).string(), content);
  formats::write_text((to / "config.json").string(),
                      write_config(config, as->second.second));  // last: with it the folder is a model
}

void save_model(Module& root, const std::string& folder, const Tokenizer* tokenizer, const std::string& dtype) {
  struct Borrowed : Loaded {  // the owner keeps the module
    explicit Borrowed(Module& module) { root.reset(&module); }
    ~Borrowed() { (void)root.release(); }
  };
  Borrowed all(root);
  all.classifier = dynamic_cast<Classifier*>(&root), all.token_classifier = dynamic_cast<TokenClassifier*>(&root);
  all.model = all.classifier         ? &*all.classifier->model
              : all.token_classifier ? &*all.token_classifier->model
                                     : dynamic_cast<Model*>(&root);
  expect<ValueError>(all.model != nullptr, "save_model: a ", root.kind(),
                     " is not a Model, Classifier or TokenClassifier, which have a file format");
  if (all.classifier) all.pad = all.classifier->pad;
  if (tokenizer) {
    const Tokenizer::Parts& parts = tokenizer->parts();
    all.bos = parts.bos, all.eos = parts.eos;
    if (parts.pad >= 0) all.pad = parts.pad;
    if (parts.eos >= 0) all.ends = {parts.eos};
  }
  save_model(all, folder, dtype, tokenizer);
}

}  // namespace graft
