// graft convert: any model that graft reads, as a Hugging Face folder. The folder appears whole or not at all.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>

#include "cli/commands.h"
#include "cli/models.h"
#include "cli/options.h"

namespace graft::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string model, out, dtype = "F32";
  bool force = false, no_tokenizer = false;
};

/// A folder beside its final place, removed unless it was moved there.
struct Draft {
  fs::path path;
  explicit Draft(const fs::path& target) : path(text(target.string(), ".part", getpid())) {
    std::error_code error;
    fs::create_directory(path, error);
    expect<FileError>(!error, "--out: cannot make a folder in ", target.parent_path().string(), ": ", error.message());
  }
  ~Draft() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  void move_to(const fs::path& target) const {
    std::error_code error;
    if (!fs::exists(target) || fs::is_empty(target)) {
      fs::rename(path, target, error);
    } else {
      // What the model before left and this one lacks would be taken for its own.
      for (const auto& file : fs::directory_iterator(target, error)) {
        const std::string name = file.path().filename().string();
        const bool tokens =
            name == "tokenizer.json" || name == "tokenizer_config.json" || name == "vocab.json" || name == "merges.txt";
        const bool weights = name == "model.safetensors.index.json" ||
                             (name.rfind("model-", 0) == 0 && file.path().extension() == ".safetensors");
        if (!error && (tokens || weights)) fs::remove(file.path(), error);
      }
      for (const bool last : {false, true})  // config.json makes the folder a model
        for (const auto& file : fs::directory_iterator(path))
          if (!error && (file.path().filename() == "config.json") == last)
            fs::rename(file.path(), target / file.path().filename(), error);
    }
    expect<FileError>(!error, "--out: cannot put the files in ", target.string(), ": ", error.message());
  }
};

void convert(const Options& options, const Globals& globals) {
  const std::string from = find_model(options.model);
  fs::path to = fs::absolute(options.out).lexically_normal();
  if (to.filename().empty()) to = to.parent_path();  // out/
  expect<FileError>(fs::is_directory(to.parent_path()), "--out: there is no folder ", to.parent_path().string());
  if (fs::exists(to)) {
    expect<FileError>(fs::is_directory(to), "--out: ", options.out, " is a file; name a folder");
    expect<ValueError>(!fs::equivalent(from, to), "--out: that is the model itself; name another folder");
    expect<ValueError>(options.force || fs::is_empty(to), "--out: ", options.out,
                       " is not empty; --force replaces the model in it");
  }
  const Loaded loaded = load_model(from);
  std::optional<Tokenizer> tokenizer;
  if (!options.no_tokenizer && has_tokenizer(from)) tokenizer.emplace(load_tokenizer_of(from));
  const Draft draft(to);
  save_model(loaded, draft.path.string(), options.dtype, tokenizer ? &*tokenizer : nullptr);
  draft.move_to(to);
  if (!globals.quiet)
    std::cerr << options.out << " holds the model" << (tokenizer ? " and its tokenizer" : "; it has no tokenizer") << std::endl;
}

}  // namespace

void add_convert(CLI::App& app, const Globals& globals) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("convert", "any model that graft reads, as a Hugging Face folder");
  add_model_option(*command, options->model);
  command->add_option("--out", options->out, "the folder to make")->required()->check(filled())->type_name("DIR");
  command->add_option("--dtype", options->dtype, "how numbers are stored: F32, F16 or BF16")
      ->check(CLI::IsMember({"F32", "F16", "BF16"}).description(""))
      ->capture_default_str()
      ->type_name("TYPE");
  command->add_flag("--force", options->force, "put the files into the folder even if it is not empty");
  command->add_flag("--no-tokenizer", options->no_tokenizer, "leave the tokenizer out");
  command->footer("Example:\n  graft convert --model smollm2-135m --out smollm2 --dtype BF16");
  command->callback([options, &globals] { convert(*options, globals); });
}

}  // namespace graft::cli
