// graft classify: which class a text belongs to, according to an adapter that graft tune trained.
#include <cstdio>
#include <filesystem>
#include <memory>

#include "cli/commands.h"
#include "cli/models.h"
#include "cli/options.h"
#include "cli/printable.h"
#include "train/data.h"
#include "tune/text_classifier.h"

namespace graft::cli {
namespace {

struct Options {
  std::string model, adapter, file;
  std::vector<std::string> ignored_fields;
  std::vector<std::string> texts;
  tune::TextOptions around;
};

std::vector<std::string> texts_of(const Options& o) {
  if (o.file.empty()) return o.texts;
  std::vector<std::string> all;
  if (o.file == "-") all = train::lines_of(train::plain_text(read_input("-"), "standard input"));
  else all = train::read_texts(o.file);
  expect<ValueError>(!all.empty(), o.file, ": the file contains no text");
  return all;
}

void classify(const Options& o) {
  const auto holds = [](const std::string& folder, const char* name) {
    return !folder.empty() && std::filesystem::exists(std::filesystem::path(folder) / name);
  };
  // Full fine-tuning saves a model where other methods save an adapter.
  const bool whole = holds(o.adapter, "config.json") && !holds(o.adapter, "adapter_config.json");
  const std::string path = whole ? o.adapter : find_model(o.model);
  const std::vector<std::string> texts = texts_of(o);
  tune::TextClassifier::Options options;
  options.around = o.around, options.reading = {o.ignored_fields};
  options.note = tell;
  const tune::TextClassifier classify(path, whole ? "" : o.adapter, options);
  for (const std::string& words : texts) {
    const tune::TextClassifier::Answer said = classify(words);
    std::printf("%s\t%.3f\t%s\n", printable(said.label).c_str(), said.probability, printable(words).c_str());
  }
  expect<FileError>(std::fflush(stdout) == 0, "could not write the output");
}

}  // namespace

void add_classify(const Command& program) {
  const auto o = std::make_shared<Options>();
  const Command command = program.add_command("classify", "classify texts with an adapter that graft tune has trained");
  add_model_option(command, o->model);
  add_adapter_option(command, o->adapter, o->ignored_fields);
  const Option words =
      command.add_option("--text", o->texts, "a text; may be given several times").repeatable().type_name("TEXT");
  command
      .add_option("--file", o->file,
                  "texts, one per line, or the field \"text\" of a .jsonl, .json, .csv or .tsv file; - is standard input")
      .check(filled())
      .excludes(words)
      .type_name("FILE");
  add_bos_options(command, o->around.bos, o->around.no_bos);
  command.footer(
      "Each line of the output is a class, its probability and the text, with tabs between them; a tab in a text is written\n"
      "as \\x09, and so are other control characters.\nExample:\n"
      "  graft classify --model smollm2-135m --adapter my-reviews --text \"The soup was cold.\"");
  command.callback([o] {
    if (o->texts.empty() && o->file.empty()) missing("--text or --file");
    classify(*o);
  });
}

}  // namespace graft::cli
