#include "cli/tune/folder.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

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

namespace {

/// Whether name is digits between two words: best-12.safetensors, prompt-0; not best-friends.txt.
bool numbered(const std::string& name, const std::string& before, const std::string& behind) {
  const std::size_t all = before.size() + behind.size();
  return name.size() > all && name.compare(0, before.size(), before) == 0 &&
         name.compare(name.size() - behind.size(), behind.size(), behind) == 0 &&
         std::min(name.find_first_not_of("0123456789", before.size()), name.size()) == name.size() - behind.size();
}
bool is_best(const fs::path& path) {
  return numbered(path.filename().string(), "best-", ".safetensors") && fs::is_regular_file(fs::symlink_status(path));
}

/// A partly written file left by a run that was killed: .run.json.4711-0.new (formats/atomic_file.cpp).
bool is_left(const fs::path& path) {
  const std::string name = path.filename().string();
  const std::size_t dash = name.rfind('-'), dot = dash == std::string::npos ? dash : name.rfind('.', dash);
  return name[0] == '.' && dot != std::string::npos && dot > 0 && numbered(name.substr(dot, dash - dot), ".", "") &&
         numbered(name.substr(dash), "-", ".new") && fs::is_regular_file(fs::symlink_status(path));
}

/// The topmost folder on the way to `path` that does not exist yet; "" if all do.
fs::path topmost_new(fs::path path) {
  fs::path top;
  std::error_code ignored;
  for (path = fs::absolute(path).lexically_normal(); !path.empty() && !fs::exists(path, ignored); path = path.parent_path())
    if (path.has_filename()) top = path;
  return top;
}

/// Removes the files with these names, and then the folder if it is empty.
void remove_files(const fs::path& folder, std::initializer_list<const char*> names) {
  std::error_code ignored;
  if (!fs::is_directory(fs::symlink_status(folder))) return;
  for (const char* name : names) fs::remove(folder / name, ignored);
  fs::remove(folder, ignored);  // fails if it is not empty
}

}  // namespace

Folder::Folder(const std::string& path, const std::string& who)
    : made_(topmost_new(path)),
      path_(make_folder(path)),
      lock_(file(".lock")) {
  expect<FileError>(lock_.try_take(), "--out: another ", who, " is running in ", path);
  std::vector<fs::path> left;
  for (const auto& entry : fs::directory_iterator(path_))
    if (is_left(entry.path())) left.push_back(entry.path());
  std::error_code ignored;
  for (const fs::path& file : left) fs::remove(file, ignored);
}

Folder::~Folder() {
  if (made_.empty()) return;
  std::error_code ignored;
  for (fs::directory_iterator entry(path_, ignored), end; !ignored && entry != end; entry.increment(ignored))
    if (entry->path().filename() != ".lock") return;
  fs::remove(path_ / ".lock", ignored);  // the folder holds nothing: remove it
  fs::path folder = fs::absolute(path_).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  while (fs::remove(folder, ignored) && folder != made_) folder = folder.parent_path();
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
                                           "events.out.tfevents.0.graft",
                                           "checkpoint.safetensors",
                                           "adapter_config.json",
                                           "adapter_model.safetensors",
                                           "adapter.safetensors",
                                           "head_config.json",
                                           "model_head.safetensors",
                                           "classes.json",
                                           "config.json",
                                           "model.safetensors",
                                           "tokenizer.json",
                                           "tokenizer_config.json",
                                           "special_tokens_map.json",
                                           "chat_template.jinja",
                                           "generation_config.json"};
  for (const auto& entry : fs::directory_iterator(path_)) {
    const std::string name = entry.path().filename().string();
    if ((files.count(name) != 0 && !entry.is_directory()) || is_best(entry.path())) fs::remove(entry.path());
    else if (numbered(name, "prompt-", "")) remove_files(entry.path(), {"adapter_config.json", "adapter_model.safetensors"});
    else if (name == "trace")
      remove_files(entry.path(), {"start.safetensors", "batches.jsonl", "held.jsonl", "adapter_config.json",
                                  "adapter_model.safetensors"});
  }
}

void Folder::keep_best(Index step) const {
  for (const auto& entry : fs::directory_iterator(path_))
    if (is_best(entry.path()) && entry.path().filename() != best(step)) fs::remove(entry.path());
}

void write_json(const std::string& file, const nlohmann::json& value) {
  formats::write_text(file, value.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

}  // namespace graft::cli
