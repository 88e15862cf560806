// Hugging Face folders: config.json says what the model is, model.safetensors (or an index and its shards) has the numbers.
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "autograd/sizes.h"
#include "autograd/text.h"
#include "formats/safetensors.h"
#include "nn/config.h"
#include "nn/initialize.h"
#include "nn/inside/config_reader.h"
#include "nn/inside/load.h"
#include "nn/names.h"

namespace graft {
namespace {

namespace fs = std::filesystem;
using formats::Safetensors;
using formats::TensorEntry;

/// All tensors of a folder, wherever they are.
struct TensorFiles {
  std::vector<std::unique_ptr<Safetensors>> files;
  std::map<std::string, std::pair<const TensorEntry*, const Safetensors*>> tensors;
  std::string source;  // for messages
};

/// The shard of each tensor, as an index says.
std::map<std::string, std::string> shards(const fs::path& index) {
  const nlohmann::json tree = parse_config(formats::read_text(index.string()), index.string());
  const ConfigReader map = ConfigReader(tree, index.string(), "").inner("weight_map");
  std::map<std::string, std::string> shard_of;
  for (const auto& entry : tree["weight_map"].items()) {
    const std::string name = map.word(entry.key());
    expect<FormatError>(name.find('/') == std::string::npos && name.size() > 12 && ends_with(name, ".safetensors"),
                        index.string(), ": weight_map.", entry.key(), " is \"", name,
                        "\", but must be a .safetensors file in the same folder");
    shard_of[entry.key()] = name;
  }
  return shard_of;
}

TensorFiles open(const fs::path& folder) {
  TensorFiles c;
  const fs::path single = folder / "model.safetensors", index = folder / "model.safetensors.index.json";
  const bool sharded = !fs::exists(single) && fs::exists(index);
  if (!sharded && !fs::exists(single))
    throw FileError(text(folder.string(), ": there is neither model.safetensors nor model.safetensors.index.json",
                         fs::exists(folder / "pytorch_model.bin")
                             ? "; pytorch_model.bin is a pickle, which can run code and is not read: convert it to safetensors"
                             : ""));
  c.source = sharded ? index.string() : single.string();
  std::map<std::string, std::string> shard_of;
  if (sharded) shard_of = shards(index);
  std::set<std::string> names;
  for (const auto& entry : shard_of) names.insert(entry.second);
  if (!sharded) names.insert("model.safetensors");
  for (const std::string& name : names) {
    c.files.push_back(std::make_unique<Safetensors>((folder / name).string()));
    for (const auto& entry : c.files.back()->tensors()) {
      const bool is_new = c.tensors.emplace(entry.first, std::make_pair(&entry.second, c.files.back().get())).second;
      expect<FormatError>(is_new, (folder / name).string(), ": the tensor ", entry.first, " is in another shard, too");
    }
  }
  for (const auto& entry : shard_of) {  // each tensor is in the shard that the index says
    const auto found = c.tensors.find(entry.first);
    expect<FormatError>(found != c.tensors.end() && fs::path(found->second.second->path()).filename() == entry.second, c.source,
                        ": the tensor ", entry.first, " should be in ", entry.second, ", but is not");
  }
  return c;
}

/// Tensors in files that no model needs: buffers of old files, and a head: one that is tied anyway, or that of a
/// language model in a classifier's file.
bool needless(const std::string& name) {
  return ends_with(name, ".attn.bias") || ends_with(name, ".attn.masked_bias") || ends_with(name, ".rotary_emb.inv_freq") ||
         name == "lm_head.weight";
}

/// The numbers of an entry, as the parameter has them.
Tensor numbers(const TensorEntry& entry, const Safetensors& file, const FilePlace& place, const Param& param) {
  const Shape& shape = param.shape();  // (out, in) or (out)
  std::vector<Index> stored(shape.begin(), shape.end());
  stored[0] *= place.parts;
  if (place.transposed && stored.size() == 2) std::swap(stored[0], stored[1]);
  expect<FormatError>(entry.shape == stored, [&] {
    return text(file.path(), ": the tensor ", entry.name, " has shape [", joined(entry.shape), "], but the configuration asks for [",
                joined(stored), "]");
  });
  const bool as_it_is = place.parts == 1 && !(place.transposed && shape.rank() == 2);
  Tensor t(shape);
  if (as_it_is) {
    formats::read_numbers(entry, t.write(), file.path());
  } else {
    std::vector<real> all(static_cast<std::size_t>(entry.numel()));
    formats::read_numbers(entry, all.data(), file.path());
    const Index out = shape[0], in = shape.rank() == 2 ? shape[1] : 1, wide = out * place.parts, first = out * place.part;
    real* to = t.write();
    for (Index o = 0; o < out; ++o)
      for (Index i = 0; i < in; ++i) to[o * in + i] = nth(all, i * wide + first + o);
  }
  if (place.part + 1 == place.parts) file.file().forget(entry.data, entry.bytes);
  return t;
}

std::string prefix_of(const TensorFiles& c, bool gpt2) {
  const std::string prefix = gpt2 ? "transformer." : "model.";
  for (const auto& entry : c.tensors)
    if (entry.first.rfind(prefix, 0) == 0) return prefix;
  return "";
}

using Entry = std::pair<const TensorEntry*, const Safetensors*>;
std::vector<real> all_numbers(const Entry& found) {
  std::vector<real> all(static_cast<std::size_t>(found.first->numel()));
  formats::read_numbers(*found.first, all.data(), found.second->path());
  return all;
}

/// The same numbers? Mostly the same bytes, and then nothing is copied.
bool equal(const Entry& a, const Entry& b) {
  if (a.first->shape != b.first->shape) return false;
  const bool bytes = a.first->dtype == b.first->dtype && a.first->bytes == b.first->bytes &&
                     std::memcmp(a.first->data, b.first->data, static_cast<std::size_t>(a.first->bytes)) == 0;
  return bytes || all_numbers(a) == all_numbers(b);
}

/// What transformers 5 makes of a tied model's file that holds a head: alone it is the table, too; beside a table with the same
/// numbers it is redundant; beside one with others it is a head of its own, which merging tools leave behind.
void settle_tying(ModelConfig& config, TensorFiles& c, const std::string& config_path, Loaded& loaded) {
  const bool gpt2 = std::holds_alternative<Gpt2Config>(config.sizes);
  bool& tied = std::visit([](auto& sizes) -> bool& { return sizes.tied; }, config.sizes);
  const auto head = c.tensors.find("lm_head.weight");
  if (!tied || config.head != ModelConfig::Head::language || head == c.tensors.end()) return;
  const std::string name = prefix_of(c, gpt2) + (gpt2 ? "wte.weight" : "embed_tokens.weight");
  const auto table = c.tensors.find(name);
  if (table == c.tensors.end()) {
    c.tensors[name] = head->second;
    return;
  }
  if (equal(head->second, table->second)) return;
  tied = false;
  loaded.notes.push_back(text(config_path, " ties the head to the embeddings, but ", c.source, " has an lm_head.weight that ",
                              "differs from ", name, "; the head of the file is kept, as transformers 5 keeps it. ",
                              "\"tie_word_embeddings\": false in config.json would say so"));
}

/// Its ends join those of config.json: transformers' generate() knows no others, and other programs read only config.json.
void add_generation_config(Loaded& loaded, const std::string& folder) {
  const std::string path = (fs::path(folder) / "generation_config.json").string();
  if (!fs::exists(path)) return;
  const std::string& text = loaded.beside["generation_config.json"] = formats::read_text(path);
  const nlohmann::json tree = parse_config(text, path);
  const ConfigReader c(tree, path, "");
  for (const Id id : c.tokens("eos_token_id", loaded.model->vocabulary()))
    if (std::find(loaded.ends.begin(), loaded.ends.end(), id) == loaded.ends.end()) loaded.ends.push_back(id);
  if (loaded.bos < 0) loaded.bos = c.token("bos_token_id", loaded.model->vocabulary());
}

}  // namespace

Loaded load_hugging_face(const std::string& folder) {
  const std::string config_path = (fs::path(folder) / "config.json").string();
  ModelConfig config = read_config(formats::read_text(config_path), config_path);
  TensorFiles checkpoint = open(folder);
  const Index layers = std::visit([](const auto& sizes) { return sizes.layers; }, config.sizes);
  expect<FormatError>(layers <= size_of(checkpoint.tensors), config_path, ": it asks for ", layers,
                      " layers, but ", checkpoint.source, " has ", checkpoint.tensors.size(), " tensors in all");

  Loaded loaded;
  settle_tying(config, checkpoint, config_path, loaded);
  std::unique_ptr<Model> model = from_config(config_path, [&] { return make_model(config); });
  loaded.model = model.get();
  const std::string prefix = prefix_of(checkpoint, std::holds_alternative<Gpt2Config>(config.sizes));
  if (config.head != ModelConfig::Head::language) model->output().take();  // a classifier's file has no language-model head
  if (config.head == ModelConfig::Head::sequence) {
    auto classifier = std::make_unique<Classifier>(std::move(model), config.labels, config.pad);
    loaded.classifier = classifier.get();
    loaded.root = std::move(classifier);
  } else if (config.head == ModelConfig::Head::token) {
    auto classifier = from_config(
        config_path, [&] { return std::make_unique<TokenClassifier>(std::move(model), config.labels, config.head_dropout); });
    loaded.token_classifier = classifier.get();
    loaded.root = std::move(classifier);
  } else {
    loaded.root = std::move(model);
  }

  // Checked before any number is read: nothing is missing or unknown.
  std::set<std::string> needed;
  for (const auto& named : loaded.root->parameters()) {
    const FilePlace place = hugging_face_place(*loaded.model, named.first, prefix);
    needed.insert(place.name);
    expect<FormatError>(checkpoint.tensors.count(place.name) != 0, checkpoint.source, ": the tensor ", place.name,
                        " is missing, which the ", loaded.model->kind(), " of ", config_path, " needs");
  }
  for (const auto& entry : checkpoint.tensors)
    expect<FormatError>(needed.count(entry.first) != 0 || needless(entry.first), entry.second.second->path(), ": the tensor ",
                        entry.first, " belongs to nothing in the model that config.json describes");
  for (const auto& named : loaded.root->parameters()) {
    const FilePlace place = hugging_face_place(*loaded.model, named.first, prefix);
    const auto& found = checkpoint.tensors.at(place.name);
    named.second->set(numbers(*found.first, *found.second, place, *named.second));
  }
  loaded.path = folder;
  loaded.format = "Hugging Face folder";
  loaded.problem = config.problem;
  loaded.bos = config.bos, loaded.pad = config.pad, loaded.ends = config.ends;
  add_generation_config(loaded, folder);
  loaded.eos = loaded.ends.empty() ? -1 : loaded.ends.front();
  return loaded;
}

}  // namespace graft
