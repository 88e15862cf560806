// graft convert: any model that graft reads, as a Hugging Face folder. The folder appears complete or not at all.
#include <filesystem>
#include <iostream>
#include <memory>

#include "cli/commands.h"
#include "cli/models.h"
#include "cli/staging_folder.h"

namespace graft::cli {
namespace {

void convert(const ModelOutput& options, const Globals& globals) {
  const std::string from = find_model(options.model);
  const std::filesystem::path to = target_folder(options.out, from, options.force);
  const Loaded loaded = load(from);
  const bool tokenizer = save_whole(loaded, to, from, options);
  if (!globals.quiet)
    std::cerr << options.out << " holds the model" << (tokenizer ? " and its tokenizer" : "; it has no tokenizer") << std::endl;
}

}  // namespace

void add_convert(const Command& program, const Globals& globals) {
  const auto options = std::make_shared<ModelOutput>();
  const Command command = program.add_command("convert", "convert any model that graft reads to a Hugging Face folder");
  options->add_model_option(command);
  options->add_output_options(command);
  command.footer("Example:\n  graft convert --model smollm2-135m --out smollm2 --dtype BF16");
  command.callback([options, &globals] { convert(*options, globals); });
}

}  // namespace graft::cli
