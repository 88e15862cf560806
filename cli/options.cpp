#include "cli/options.h"

namespace graft::cli {

const char* const what_a_model_is = "a Hugging Face folder, a .gguf file, or a name that ./run fetch NAME has fetched";

Option add_model_option(const Command& command, std::string& model) {
  return command.add_option("--model", model, what_a_model_is).required().check(filled()).type_name("MODEL");
}

Option add_adapter_option(const Command& command, std::string& adapter, std::vector<std::string>& ignored_fields) {
  const Option option =
      command
          .add_option("--adapter", adapter,
                      "a folder with an adapter from PEFT, AdapterHub or graft, to put on the model")
          .check(filled())
          .type_name("DIR");
  command
      .add_option("--ignore-field", ignored_fields,
                  "ignore this field of the adapter's adapter_config.json: one that graft does not know and "
                  "that changes nothing; may be given several times")
      .repeatable()
      .check(filled())
      .needs(option)
      .type_name("NAME");
  return option;
}

void add_bos_options(const Command& command, bool& bos, bool& no_bos, const std::string& what, const std::string& group,
                     const std::vector<Option>& not_with) {
  std::vector<Option> both{
      command.add_flag("--bos", bos,
                       "put the beginning-of-text token before " + what + " (default: as the tokenizer's files say)"),
      command.add_flag("--no-bos", no_bos, "do not, whatever those files say")};
  both[1].excludes(both[0]);
  for (const Option& option : both) {
    if (!group.empty()) option.group(group);
    for (const Option& other : not_with) option.excludes(other);
  }
}

}  // namespace graft::cli
