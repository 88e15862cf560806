// graft info: what a model consists of. Does not read packed weights or build a tokenizer, so it answers at once.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "autograd/text.h"
#include "cli/collapse_layers.h"
#include "cli/commands.h"
#include "cli/models.h"
#include "cli/options.h"
#include "cli/printable.h"
#include "formats/file.h"
#include "formats/gguf.h"
#include "nn/gpt2.h"
#include "nn/llama.h"
#include "peft/adapter_file.h"

namespace graft::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string model, adapter;
  std::vector<std::string> ignored_fields;
  bool all = false;
};

double size_on_disk(const fs::path& path) {
  if (!fs::is_directory(path)) return static_cast<double>(fs::file_size(path));
  double bytes = 0;
  for (const auto& file : fs::directory_iterator(path))
    if (file.path().extension() == ".safetensors") bytes += static_cast<double>(file.file_size());
  return bytes;
}

std::string sizes(const Model& model) {
  if (const auto* llama = dynamic_cast<const Llama*>(&model)) {
    const LlamaConfig& c = llama->config;
    return text("Llama: ", c.layers, " layers, width ", c.dim, ", ", c.heads, " heads",
                c.kv_heads == c.heads ? "" : text(" on ", c.kv_heads, " for keys and values"), " of ",
                c.head_dim ? c.head_dim : c.dim / c.heads, ", MLP ", c.hidden, " (", c.activation, "), rotary base ",
                c.rope_theta, c.tied ? ", tied head" : "");
  }
  if (const auto* gpt2 = dynamic_cast<const Gpt2*>(&model)) {
    const Gpt2Config& c = gpt2->config;
    return text("GPT-2: ", c.layers, " layers, width ", c.dim, ", ", c.heads, " heads of ", c.dim / c.heads, ", MLP ",
                c.hidden ? c.hidden : 4 * c.dim, " (", c.activation, ")", c.tied ? ", tied head" : "");
  }
  return model.kind();
}

/// The weights of one storage format, each counted once.
struct Stored {
  Index weights = 0, numbers = 0;
  std::size_t bytes = 0;
};
std::map<std::string, Stored> by_format(const Module& root) {
  std::map<std::string, Stored> all;
  std::set<const void*> seen;
  root.each([&](const std::string&, Part& part) {
    const auto count = [&](const void* identity, const std::string& format, Index numbers, std::size_t bytes) {
      if (!seen.insert(identity).second) return;
      Stored& of = all[format];
      of.weights += 1;
      of.numbers += numbers;
      of.bytes += bytes;
    };
    if (const auto* param = dynamic_cast<const Param*>(&part))
      count(param->identity(), "F32", param->numel(), static_cast<std::size_t>(param->numel()) * sizeof(real));
    else if (const auto* packed = dynamic_cast<const PackedPart*>(&part))
      count(packed->operator->(), (**packed).format(), (**packed).rows() * (**packed).cols(), (**packed).bytes());
  });
  return all;
}

std::string tokenizer_of_gguf(const formats::Gguf& gguf) {
  if (!gguf.has("tokenizer.ggml.model")) return "none";
  const auto entries = [&](const char* key) { return gguf.has(key) ? gguf.texts(key).size() : 0; };
  const std::string pre = gguf.has("tokenizer.ggml.pre") ? gguf.text("tokenizer.ggml.pre") : "none named";
  return text("inside the file: ", gguf.text("tokenizer.ggml.model"), ", pre-tokenizer ", pre, ", ",
              entries("tokenizer.ggml.tokens"), " tokens, ", entries("tokenizer.ggml.merges"), " merges");
}

std::string tokenizer_of_folder(const fs::path& folder) {
  const fs::path file = folder / "tokenizer.json";
  if (!fs::exists(file)) {
    if (fs::exists(folder / "vocab.json")) return "vocab.json and merges.txt";
    return fs::exists(folder / "tokenizer.model") ? "tokenizer.model, which graft does not read" : "none";
  }
  const nlohmann::json json = nlohmann::json::parse(formats::read_text(file.string()), nullptr, false);
  const auto entries = [&](const char* key) -> std::size_t {
    const bool there = json.is_object() && json.contains("model") && json["model"].is_object() && json["model"].contains(key);
    return there ? json["model"][key].size() : 0;
  };
  if (json.is_discarded()) return "tokenizer.json, which is not JSON";
  return text("tokenizer.json: ", entries("vocab"), " tokens, ", entries("merges"), " merges");
}

/// Describes the adapter in a folder, without a model.
void adapter_info(const std::string& folder, bool all) {
  const peft::AdapterSummary a = peft::describe_adapter(folder);
  std::cout << folder << '\n'
            << "  type          " << printable(a.type) << '\n'
            << "  task          " << (a.task.empty() ? "unknown" : printable(a.task)) << '\n'
            << "  made for      " << (a.base.empty() ? "unknown" : printable(a.base)) << '\n'
            << "  parameters    " << grouped(a.numbers) << " in " << a.tensors.size()
            << (a.tensors.size() == 1 ? " tensor\n" : " tensors\n");
  const std::size_t shown = all ? a.tensors.size() : std::min<std::size_t>(a.tensors.size(), 8);
  for (std::size_t i = 0; i < shown; ++i)
    std::cout << "    " << printable(a.tensors[i].name) << " [" << joined(a.tensors[i].shape) << "]\n";
  if (shown < a.tensors.size()) std::cout << "    and " << a.tensors.size() - shown << " more; --all shows them\n";
}

void info(const Options& options) {
  if (!options.adapter.empty()) adapter_info(options.adapter, options.all);
  if (options.model.empty()) return;
  if (!options.adapter.empty()) std::cout << '\n';
  const std::string path = find_model(options.model);
  Loaded loaded = load(path);
  if (!options.adapter.empty()) peft::load_adapter(loaded, options.adapter, "default", {options.ignored_fields});
  const Model& model = *loaded.model;
  const std::map<std::string, Stored> formats = by_format(*loaded.root);
  double bytes = 0;
  for (const auto& [format, stored] : formats) bytes += static_cast<double>(stored.bytes);
  const Index all = loaded.root->count(false), learning = loaded.root->count(true);
  const auto id = [](const char* name, Id id) { return id < 0 ? std::string() : text(", ", name, " ", id); };

  std::cout << path << '\n'
            << "  format        " << loaded.format << ", " << short_bytes(size_on_disk(path)) << '\n'
            << "  architecture  " << sizes(model) << '\n';
  if (loaded.classifier) std::cout << "  classifier    " << loaded.classifier->labels.size() << " labels\n";
  if (loaded.token_classifier)
    std::cout << "  classifier    " << loaded.token_classifier->labels.size() << " labels, one for each token\n";
  std::cout << "  context       " << model.context() << " tokens\n"
            << "  vocabulary    " << model.vocabulary() << " tokens" << id("bos", loaded.bos) << id("eos", loaded.eos)
            << id("pad", loaded.pad) << '\n'
            << "  tokenizer     "
            << printable(is_gguf(path) ? tokenizer_of_gguf(formats::Gguf(path)) : tokenizer_of_folder(path)) << '\n'
            << "  parameters    " << grouped(all) << " in " << short_bytes(bytes) << ": " << grouped(learning) << " learning, "
            << grouped(all - learning) << " frozen\n";
  for (const auto& [format, stored] : formats)
    std::cout << "    " << format << std::string(format.size() < 6 ? 6 - format.size() : 1, ' ') << stored.weights
              << (stored.weights == 1 ? " weight, " : " weights, ") << grouped(stored.numbers) << " numbers in "
              << short_bytes(static_cast<double>(stored.bytes)) << '\n';
  const std::string tree = loaded.root->tree();
  std::cout << '\n' << (options.all ? tree : collapse_layers(tree));
}

}  // namespace

void add_info(const Command& program) {
  const auto options = std::make_shared<Options>();
  const Command command = program.add_command("info", "show what a model consists of: sizes, formats, the tree of its modules");
  const Option model = command.add_option("--model,MODEL", options->model, what_a_model_is).check(filled()).type_name("");
  const Option adapter = add_adapter_option(command, options->adapter, options->ignored_fields);
  command.add_flag("--all", options->all, "show every layer, even if all are alike, and every tensor of an adapter");
  command.footer(
      "Examples:\n  graft info smollm2-135m\n  graft info --adapter my-adapter\n  graft info smollm2-135m --adapter "
      "my-adapter");
  command.callback([=] {
    if (model.count() + adapter.count() == 0) missing("MODEL or --adapter");
    info(*options);
  });
}

}  // namespace graft::cli
