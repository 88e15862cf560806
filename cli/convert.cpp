// graft convert: any model that graft reads, as a Hugging Face folder. The folder appears whole or not at all.
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>

#include "cli/commands.h"
#include "cli/draft.h"
#include "cli/models.h"
#include "cli/options.h"
#include "cli/texts.h"

namespace graft::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string model, out, dtype = "F32";
  bool force = false, no_tokenizer = false;
};

void convert(const Options& options, const Globals& globals) {
  const std::string from = find_model(options.model);
  const fs::path to = target_folder(options.out, from, options.force);
  const Loaded loaded = load(from);
  std::optional<Tokenizer> tokenizer;
  if (!options.no_tokenizer && has_tokenizer(from)) tokenizer.emplace(tokenizer_for(from));
  save_whole(loaded, to, options.dtype, tokenizer ? &*tokenizer : nullptr);
  if (!globals.quiet)
    std::cerr << options.out << " holds the model" << (tokenizer ? " and its tokenizer" : "; it has no tokenizer") << std::endl;
}

}  // namespace

void add_convert(const Command& program, const Globals& globals) {
  const auto options = std::make_shared<Options>();
  const Command command = program.add_command("convert", "any model that graft reads, as a Hugging Face folder");
  add_model_option(command, options->model);
  command.add_option("--out", options->out, "the folder to make").required().check(filled()).type_name("DIR");
  command.add_option("--dtype", options->dtype, "how numbers are stored: F32, F16 or BF16")
      .check(one_of({"F32", "F16", "BF16"}))
      .show_default()
      .type_name("TYPE");
  command.add_flag("--force", options->force, "put the files into the folder even if it is not empty");
  command.add_flag("--no-tokenizer", options->no_tokenizer, "leave the tokenizer out");
  command.footer("Example:\n  graft convert --model smollm2-135m --out smollm2 --dtype BF16");
  command.callback([options, &globals] { convert(*options, globals); });
}

}  // namespace graft::cli
