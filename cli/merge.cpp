// graft merge: a model with an adapter merged into its weights, as a Hugging Face folder.
#include <filesystem>
#include <iostream>
#include <memory>

#include "cli/commands.h"
#include "cli/models.h"
#include "cli/options.h"
#include "cli/staging_folder.h"
#include "peft/adapter_file.h"
#include "tune/classes.h"

namespace graft::cli {
namespace {

namespace fs = std::filesystem;

struct Options : ModelOutput {
  std::string adapter;
  std::vector<std::string> ignored_fields;
};

void merge(const Options& options, const Globals& globals) {
  const std::string from = find_model(options.model);
  const auto to = target_folder(options.out, from, options.force);
  Loaded loaded = load(from);
  const peft::Attached attached = peft::load_adapter(loaded, options.adapter, "default", {options.ignored_fields});
  if (loaded.classifier && fs::exists(fs::path(options.adapter) / "classes.json")) {  // from graft tune: with label names
    const std::vector<std::string> labels = tune::read_classes(options.adapter).labels;
    if (labels.size() == loaded.classifier->labels.size()) loaded.classifier->labels = labels;
  }
  peft::merge_and_unload(loaded, attached.name);
  save_whole(loaded, to, from, options);
  if (!globals.quiet)
    std::cerr << options.out << " holds the model with the " << attached.method->kind() << " adapter merged into it"
              << std::endl;
}

}  // namespace

void add_merge(const Command& program, const Globals& globals) {
  const auto options = std::make_shared<Options>();
  const Command command = program.add_command("merge", "merge an adapter into a model's weights, as a Hugging Face folder");
  options->add_model_option(command);
  add_adapter_option(command, options->adapter, options->ignored_fields).required();
  options->add_output_options(command);
  command.footer(
      "A packed weight (GGUF) that the adapter changes is stored unpacked after the merge.\n"
      "Example:\n  graft merge --model smollm2-135m --adapter my-lora --out merged");
  command.callback([options, &globals] { merge(*options, globals); });
}

}  // namespace graft::cli
