#include "cli/staging_folder.h"

#include <unistd.h>

#include <optional>
#include <set>

#include "autograd/errors.h"
#include "cli/interrupt.h"
#include "cli/models.h"
#include "cli/options.h"
#include "cli/texts.h"

namespace graft::cli {

namespace fs = std::filesystem;

namespace {

class StagingFolder {
 public:
  explicit StagingFolder(const fs::path& target);  ///< Errors: FileError
  ~StagingFolder();                                ///< removed unless it was moved
  StagingFolder(const StagingFolder&) = delete;
  StagingFolder& operator=(const StagingFolder&) = delete;
  std::string path() const { return path_.string(); }
  void move_to(const fs::path& target) const;  ///< replaces a model's files there. Errors: FileError

 private:
  fs::path path_;
};

StagingFolder::StagingFolder(const fs::path& target) : path_(text(target.string(), ".part", getpid())) {
  std::error_code error;
  fs::create_directory(path_, error);
  expect<FileError>(!error, "--out: cannot make a folder in ", target.parent_path().string(), ": ", error.message());
}
StagingFolder::~StagingFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void StagingFolder::move_to(const fs::path& target) const {
  std::error_code error;
  if (!fs::exists(target) || fs::is_empty(target)) {
    fs::rename(path_, target, error);
  } else {
    // Files of the old model that the new one does not have would be taken for its own.
    for (const auto& file : fs::directory_iterator(target, error)) {
      const std::string name = file.path().filename().string();
      static const std::set<std::string> small{
          "tokenizer.json",          "tokenizer_config.json",  "vocab.json",         "merges.txt", "added_tokens.json",
          "special_tokens_map.json", "generation_config.json", "chat_template.jinja"};
      const bool tokens = small.count(name) != 0;
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

}  // namespace

fs::path target_folder(const std::string& out, const std::string& from, bool force) {
  fs::path to = fs::absolute(out).lexically_normal();
  if (to.filename().empty()) to = to.parent_path();  // a trailing slash: out/
  expect<FileError>(fs::is_directory(to.parent_path()), "--out: there is no folder ", to.parent_path().string());
  if (!fs::exists(to)) return to;
  expect<FileError>(fs::is_directory(to), "--out: ", out, " is a file; name a folder");
  expect<ValueError>(!fs::equivalent(from, to), "--out: this is the model's own folder; name another one");
  expect<ValueError>(force || fs::is_empty(to), "--out: ", out, " is not empty; --force replaces the model in it");
  return to;
}

void save_whole(const Loaded& loaded, const fs::path& target, const std::string& dtype, const Tokenizer* tokenizer) {
  const CatchSignals until_moved{SIGINT, SIGTERM, SIGHUP};
  const auto go_on = [](Index, Index) {
    if (const int signal = CatchSignals::caught()) throw Interrupted{signal};
  };
  const StagingFolder draft(target);
  save_model(loaded, draft.path(), dtype, tokenizer, go_on);
  go_on(0, 0);
  draft.move_to(target);
}

bool save_whole(const Loaded& loaded, const fs::path& target, const std::string& from, const ModelOutput& output) {
  std::optional<Tokenizer> tokenizer;
  if (!output.no_tokenizer && has_tokenizer(from)) tokenizer.emplace(tokenizer_for(from));
  save_whole(loaded, target, output.dtype, tokenizer ? &*tokenizer : nullptr);
  return tokenizer.has_value();
}

void ModelOutput::add_model_option(const Command& command) { cli::add_model_option(command, model); }

void ModelOutput::add_output_options(const Command& command) {
  command.add_option("--out", out, "the folder to make").required().check(filled()).type_name("DIR");
  command.add_option("--dtype", dtype, "how numbers are stored: F32, F16 or BF16")
      .check(one_of({"F32", "F16", "BF16"}))
      .show_default()
      .type_name("TYPE");
  command.add_flag("--force", force, "write into the folder even if it is not empty");
  command.add_flag("--no-tokenizer", no_tokenizer, "leave the tokenizer out");
}

}  // namespace graft::cli
