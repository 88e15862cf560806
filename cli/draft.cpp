#include "cli/draft.h"

#include <unistd.h>

#include "autograd/errors.h"

namespace graft::cli {

namespace fs = std::filesystem;

fs::path target_folder(const std::string& out, const std::string& from, bool force) {
  fs::path to = fs::absolute(out).lexically_normal();
  if (to.filename().empty()) to = to.parent_path();  // out/
  expect<FileError>(fs::is_directory(to.parent_path()), "--out: there is no folder ", to.parent_path().string());
  if (!fs::exists(to)) return to;
  expect<FileError>(fs::is_directory(to), "--out: ", out, " is a file; name a folder");
  expect<ValueError>(!fs::equivalent(from, to), "--out: that is the model itself; name another folder");
  expect<ValueError>(force || fs::is_empty(to), "--out: ", out, " is not empty; --force replaces the model in it");
  return to;
}

Draft::Draft(const fs::path& target) : path_(text(target.string(), ".part", getpid())) {
  std::error_code error;
  fs::create_directory(path_, error);
  expect<FileError>(!error, "--out: cannot make a folder in ", target.parent_path().string(), ": ", error.message());
}
Draft::~Draft() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void Draft::move_to(const fs::path& target) const {
  std::error_code error;
  if (!fs::exists(target) || fs::is_empty(target)) {
    fs::rename(path_, target, error);
  } else {
    // What the model before left and this one lacks would be taken for its own.
    for (const auto& file : fs::directory_iterator(target, error)) {
      const std::string name = file.path().filename().string();
      const bool tokens =
          name == "tokenizer.json" || name == "tokenizer_config.json" || name == "vocab.json" || name == "merges.txt";
      const bool weights =
          name == "model.safetensors.index.json" || (name.rfind("model-", 0) == 0 && file.path().extension() == ".safetensors");
      if (!error && (tokens || weights)) fs::remove(file.path(), error);
    }
    for (const bool last : {false, true})  // config.json makes the folder a model
      for (const auto& file : fs::directory_iterator(path_))
        if (!error && (file.path().filename() == "config.json") == last)
          fs::rename(file.path(), target / file.path().filename(), error);
  }
  expect<FileError>(!error, "--out: cannot put the files in ", target.string(), ": ", error.message());
}

}  // namespace graft::cli
