// graft tune: fine-tunes a model with any method on a data file. The work is done in cli/tune/.
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/tune/run.h"

namespace graft::cli {

void add_tune(const Command& program, const Globals& globals) {
  const auto settings = std::make_shared<Settings>();
  const Command command = program.add_command("tune", "fine-tune a model with any of the methods on a data file");
  add_tune_options(command, *settings);
  command.footer(
      "The data are examples of one kind, as lines of JSON (.jsonl; .json may also be a list) or columns of a table (.csv, .tsv):\n"
      "  {\"prompt\": \"..\", \"completion\": \"..\"}                   the completion is learned\n"
      "  {\"messages\": [{\"role\": \"user\", \"content\": \"..\"}, ..]}  the assistant's turns are learned (ChatML)\n"
      "  {\"text\": \"..\", \"label\": \"..\"}                          classes\n"
      "  {\"text\": \"..\"}                                         text to continue\n"
      "or, in any other file, text to continue.\n"
      "Examples:\n"
      "  graft tune --model smollm2-135m --method lora --data notes.txt --out my-lora\n"
      "  graft tune --resume my-lora\n"
      "  graft generate --model smollm2-135m --adapter my-lora --prompt \"Dear\"");
  command.callback([command, settings, &globals] {
    const nlohmann::json options = complete(command, *settings);
    peft::expect_options(peft::method_row(settings->method.name), settings->method.options);
    if (settings->dry_run) dry_run(*settings);
    else run_tune(*settings, options, globals);
  });
}

}  // namespace graft::cli
