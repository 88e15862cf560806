// graft tune: fine-tunes a model by any method on a file of data. The work is in cli/tune/.
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/tune/run.h"

namespace graft::cli {

void add_tune(const Command& program, const Globals& globals) {
  const auto settings = std::make_shared<Settings>();
  const Command command = program.add_command("tune", "fine-tune a model, by any of the methods, on a file of data");
  add_tune_options(command, *settings);
  command.footer(
      "Data are examples of one kind, as lines of JSON (.jsonl; .json may also be a list) or columns of a table (.csv, .tsv):\n"
      "  {\"prompt\": \"..\", \"completion\": \"..\"}                   the completion is learned\n"
      "  {\"messages\": [{\"role\": \"user\", \"content\": \"..\"}, ..]}  what the assistant says is learned (ChatML)\n"
      "  {\"text\": \"..\", \"label\": \"..\"}                          classes\n"
      "  {\"text\": \"..\"}                                         text to go on with\n"
      "or, in any other file, text to go on with.\n"
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
