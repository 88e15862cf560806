// graft classify: which class a text belongs to, by what graft tune has learned.
#include <cstdio>
#include <filesystem>
#include <memory>

#include "cli/commands.h"
#include "cli/models.h"
#include "cli/options.h"
#include "cli/printable.h"
#include "cli/texts.h"
#include "cli/tune/classes.h"
#include "nn/generate.h"
#include "peft/adapter_file.h"
#include "peft/ensemble.h"
#include "peft/quantize.h"
#include "train/data.h"

namespace graft::cli {
namespace {

struct Options {
  std::string model, adapter, file;
  std::vector<std::string> ignored_fields;
  std::vector<std::string> texts;
  TextOptions around;
};

std::vector<std::string> texts_of(const Options& o) {
  if (o.file.empty()) return o.texts;
  std::vector<std::string> all;
  if (o.file == "-") all = train::lines_of(train::plain_text(read_input("-"), "standard input"));
  else all = train::read_texts(o.file);
  expect<ValueError>(!all.empty(), o.file, ": there is no text in it");
  return all;
}

/// Puts the adapter on; returns the prompts of an ensemble.
std::vector<std::string> put_on(const Loaded& loaded, const std::string& adapter, const peft::AdapterOptions& reading) {
  std::vector<std::string> prompts;
  for (std::filesystem::path one;
       std::filesystem::exists(one = std::filesystem::path(adapter) / text("prompt-", prompts.size()));) {
    prompts.push_back(text("prompt-", prompts.size()));
    peft::load_adapter(loaded, one.string(), prompts.back(), reading);
  }
  if (prompts.empty()) peft::load_adapter(loaded, adapter, "default", reading);
  return prompts;
}

void classify(const Options& o) {
  const auto holds = [](const std::string& folder, const char* name) {
    return !folder.empty() && std::filesystem::exists(std::filesystem::path(folder) / name);
  };
  // Full fine-tuning leaves a model where other methods leave an adapter.
  const bool whole = holds(o.adapter, "config.json") && !holds(o.adapter, "adapter_config.json");
  const std::string path = whole ? o.adapter : find_model(o.model), adapter = whole ? "" : o.adapter;
  const std::vector<std::string> texts = texts_of(o);
  Loaded loaded = load(path);
  const Tokenizer tokenizer = tokenizer_for(path);
  const Texts around = texts_with_adapter(loaded, tokenizer, o.around, adapter.empty() ? path : adapter);
  Classes classes;
  std::vector<std::string> prompts;
  std::unique_ptr<peft::Verbalizer> verbalizer;
  if (adapter.empty() && loaded.classifier) {
    classes.labels = loaded.classifier->labels;
  } else if (!adapter.empty() && !holds(adapter, "classes.json") && holds(adapter, "adapter_config.json") &&
             peft::describe_adapter(adapter).task == "SEQ_CLS") {  // of PEFT: the head says how many classes there are
    peft::load_adapter(loaded, adapter, "default", {o.ignored_fields});
    classes.labels = loaded.classifier->labels;
  } else {
    expect<ValueError>(!adapter.empty() || holds(path, "classes.json"), "classify: ", path,
                       " has no head for classes; --adapter names one that was tuned");
    classes = read_classes(adapter.empty() ? path : adapter);
    if (classes.quantized) (void)peft::quantize(peft::Host(loaded));
    Rng draws(0);
    if (classes.words.empty() && !loaded.classifier)
      give_head(loaded, classes.labels, draws);  // the adapter brings its numbers
    if (!adapter.empty()) prompts = put_on(loaded, adapter, {o.ignored_fields});
    if (!classes.words.empty())
      verbalizer = std::make_unique<peft::Verbalizer>(classes.words, tokenizer, loaded.model->vocabulary());
  }
  const NoGrad constant;
  for (const std::string& words : texts) {
    std::vector<Id> ids = encode(tokenizer, words);
    expect<ValueError>(!ids.empty(), "classify: \"", words, "\" gives no tokens");
    around.put_begin(ids);
    const Tensor logits = class_logits(loaded, verbalizer.get(), prompts, padded({ids})).value();
    const peft::Votes said = peft::vote(logits, std::max<Index>(1, static_cast<Index>(prompts.size())));
    const Id label = said.majority[0];
    std::printf("%s\t%.3f\t%s\n", printable(classes.labels.at(static_cast<std::size_t>(label))).c_str(),
                static_cast<double>(said.probabilities[label]), printable(words).c_str());
  }
  expect<FileError>(std::fflush(stdout) == 0, "could not write the output");
}

}  // namespace

void add_classify(const Command& program) {
  const auto o = std::make_shared<Options>();
  const Command command = program.add_command("classify", "tell the classes of texts, by an adapter that graft tune has made");
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
