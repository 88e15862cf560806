// graft merge: a model with an adapter folded into its weights, as a Hugging Face folder.
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>

#include "cli/commands.h"
#include "cli/draft.h"
#include "cli/models.h"
#include "cli/options.h"
#include "cli/texts.h"
#include "cli/tune/classes.h"
#include "peft/adapter_file.h"

namespace graft::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string model, adapter, out, dtype = "F32";
  std::vector<std::string> ignored_fields;
  bool force = false, no_tokenizer = false;
};

void merge(const Options& options, const Globals& globals) {
  const std::string from = find_model(options.model);
  const auto to = target_folder(options.out, from, options.force);
  Loaded loaded = load(from);
  const peft::Attached attached = peft::load_adapter(loaded, options.adapter, "default", {options.ignored_fields});
  if (loaded.classifier && fs::exists(fs::path(options.adapter) / "classes.json")) {  // of graft tune: with the labels' names
    const std::vector<std::string> labels = read_classes(options.adapter).labels;
    if (labels.size() == loaded.classifier->labels.size()) loaded.classifier->labels = labels;
  }
  peft::fold(loaded, attached.name);
  std::optional<Tokenizer> tokenizer;
  if (!options.no_tokenizer && has_tokenizer(from)) tokenizer.emplace(tokenizer_for(from));
  save_whole(loaded, to, options.dtype, tokenizer ? &*tokenizer : nullptr);
  if (!globals.quiet)
    std::cerr << options.out << " holds the model with the " << attached.method->kind() << " adapter merged into it"
              << std::endl;
}

}  // namespace

void add_merge(const Command& program, const Globals& globals) {
  const auto options = std::make_shared<Options>();
  const Command command = program.add_command("merge", "fold an adapter into a model's weights, as a Hugging Face folder");
  add_model_option(command, options->model);
  add_adapter_option(command, options->adapter, options->ignored_fields).required();
  command.add_option("--out", options->out, "the folder to make").required().check(filled()).type_name("DIR");
  command.add_option("--dtype", options->dtype, "how numbers are stored: F32, F16 or BF16")
      .check(one_of({"F32", "F16", "BF16"}))
      .show_default()
      .type_name("TYPE");
  command.add_flag("--force", options->force, "put the files into the folder even if it is not empty");
  command.add_flag("--no-tokenizer", options->no_tokenizer, "leave the tokenizer out");
  command.footer(
      "A packed weight (GGUF) that the adapter touches is merged as plain numbers, not packed again.\n"
      "Example:\n  graft merge --model smollm2-135m --adapter my-lora --out merged");
  command.callback([options, &globals] { merge(*options, globals); });
}

}  // namespace graft::cli
