#include "cli/models.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <iterator>

#include "cli/printable.h"
#include "formats/file.h"
#include "formats/gguf.h"
#include "peft/adapter_file.h"
#include "tune/texts.h"

namespace graft::cli {
namespace {

namespace fs = std::filesystem;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

/// Where ./run fetch puts models; empty if there is no such place.
fs::path cache() {
  if (const std::string models = variable("GRAFT_MODELS"); !models.empty()) return models;
  if (const std::string user = variable("XDG_CACHE_HOME"); !user.empty()) return fs::path(user) / "graft" / "models";
  if (const std::string home = variable("HOME"); !home.empty()) return fs::path(home) / ".cache" / "graft" / "models";
  return {};
}

/// smollm2-135m, org/name; not ../x, a//b or x.gguf
bool could_be_fetched(const std::string& name) {
  const auto plain = [](const std::string& s) {
    const auto good = [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_' || c == '.'; };
    return !s.empty() && s[0] != '.' && s[0] != '-' && std::all_of(s.begin(), s.end(), good);
  };
  const std::size_t slash = name.find('/');
  if (slash == std::string::npos) return name == "smollm2-135m";
  return plain(name.substr(0, slash)) && plain(name.substr(slash + 1)) && fs::path(name).extension() != ".gguf";
}

}  // namespace

std::string find_model(const std::string& name) {
  std::error_code ignored;
  if (fs::exists(name, ignored)) {
    const fs::path folder = name;
    const bool adapter = fs::exists(folder / "adapter_config.json", ignored) ||
                         fs::exists(folder / "prompt-0" / "adapter_config.json", ignored);
    expect<FileError>(!adapter || fs::exists(folder / "config.json", ignored), name,
                      " holds an adapter, not a model; give it as --adapter, and the model it was made for as --model");
    return name;
  }
  const fs::path models = cache();
  const bool fetched = could_be_fetched(name);
  if (!models.empty() && name.find("..") == std::string::npos && name[0] != '/') {
    std::string file = name;
    if (const std::size_t slash = file.find('/'); slash != std::string::npos) file.replace(slash, 1, "--");
    for (const fs::path& path : {models / (file + ".gguf"), models / file})
      if (fs::exists(path, ignored)) return path.string();
  }
  throw FileError(text("there is no model \"", name, "\": no file or folder of that name",
                       models.empty() ? std::string(" (and HOME is not set, so no fetched models)")
                                      : text(", and no fetched model of that name in ", models.string()),
                       fetched ? text("; ./run fetch ", name, " gets it")
                               : "; give a folder with config.json, a .gguf file, or a name that ./run fetch knows"));
}

Loaded load(const std::string& path) {
  Loaded loaded = load_model(path);
  for (const std::string& note : loaded.notes) tell(note);
  return loaded;
}

Loaded load_language_model(const std::string& path, const char* command) {
  Loaded loaded = load(path);
  expect<ValueError>(loaded.classifier == nullptr && loaded.token_classifier == nullptr, path, " is a classifier, but ",
                     command, " needs a language model; graft logits gives a classifier's scores");
  return loaded;
}

void put_adapter(const Loaded& loaded, const std::string& folder, const std::vector<std::string>& ignored_fields) {
  const std::string task = peft::describe_adapter(folder).task;
  expect<ValueError>(task != "SEQ_CLS", folder, " is the adapter of a classifier (SEQ_CLS); use graft classify");
  expect<ValueError>(task != "TOKEN_CLS", folder, " is the adapter of a token classifier (TOKEN_CLS); use graft logits");
  peft::load_adapter(peft::BaseModel(loaded), folder, "default", {ignored_fields});
}

bool is_gguf(const std::string& path) { return !fs::is_directory(path); }

bool has_tokenizer(const std::string& path) {
  if (is_gguf(path)) return formats::Gguf(path).has("tokenizer.ggml.model");
  for (const char* file : {"tokenizer.json", "vocab.json", "tokenizer.model"})
    if (fs::exists(fs::path(path) / file)) return true;
  return false;
}

std::string read_input(const std::string& path) {
  if (path != "-") return formats::read_text(path);
  const std::string all{std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
  expect<FileError>(!std::cin.bad(), "cannot read standard input");
  return all;
}

std::vector<Id> encode(const Tokenizer& tokenizer, const std::string& words, Specials specials) {
  return tune::encode(tokenizer, words, tell, specials);
}

}  // namespace graft::cli
