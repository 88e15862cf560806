#include "cli/tune/folder.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "autograd/errors.h"
#include "formats/file.h"

namespace graft::cli {

namespace fs = std::filesystem;

fs::path make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  expect<FileError>(!error && fs::is_directory(path), "--out: cannot make the folder ", path.string(),
                    error ? ": " + error.message() : "");
  return path;
}

Folder::Folder(const std::string& path, const std::string& who) : path_(make_folder(path)), lock_(file(".lock")) {
  expect<FileError>(lock_.try_take(), "--out: another ", who, " is at work in ", path);
}

bool Folder::foreign() const {
  for (const auto& entry : fs::directory_iterator(path_))
    if (entry.path().filename() != ".lock") return true;
  return false;
}

bool Folder::holds(const std::string& path) const {
  const fs::path folder = fs::weakly_canonical(path_), other = fs::weakly_canonical(path);
  return std::mismatch(folder.begin(), folder.end(), other.begin(), other.end()).first == folder.end();
}

std::string Folder::best(Index step) { return text("best-", step, ".safetensors"); }

void Folder::clear() const {
  static const std::set<std::string> files{"run.json",
                                           "result.json",
                                           "before.json",
                                           "metrics.jsonl",
                                           "adapter_config.json",
                                           "adapter_model.safetensors",
                                           "classes.json",
                                           "config.json",
                                           "model.safetensors",
                                           "tokenizer.json",
                                           "tokenizer_config.json",
                                           "checkpoint.safetensors",
                                           "special_tokens_map.json",
                                           "chat_template.jinja",
                                           "generation_config.json",
                                           "trace"};
  for (const auto& entry : fs::directory_iterator(path_)) {
    const std::string name = entry.path().filename().string();
    const bool ours = files.count(name) != 0 || name.rfind("best-", 0) == 0 || name.rfind("prompt-", 0) == 0 ||
                      name.rfind("events.out.tfevents.", 0) == 0;
    if (ours) fs::remove_all(entry.path());
  }
}

void Folder::keep_best(Index step) const {
  for (const auto& entry : fs::directory_iterator(path_)) {
    const std::string name = entry.path().filename().string();
    if (name.rfind("best-", 0) == 0 && name != best(step)) fs::remove(entry.path());
  }
}

void write_json(const std::string& file, const nlohmann::json& value) {
  formats::write_text(file, value.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

}  // namespace graft::cli
