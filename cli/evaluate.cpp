// graft evaluate: how well a model predicts a text.
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <memory>

#include "cli/commands.h"
#include "cli/models.h"
#include "cli/options.h"
#include "cli/texts.h"
#include "nn/evaluate.h"
#include "train/data.h"

namespace graft::cli {
namespace {

struct Options {
  std::string model, adapter, file;
  std::vector<std::string> ignored_fields;
  Index window = 0;
  TextOptions around;
};

void evaluate(const Options& options, const Globals& globals) {
  const std::string path = find_model(options.model);
  expect<ValueError>(!train::holds_records(options.file), options.file,
                     " contains examples, but graft evaluate reads plain text; graft tune --test scores examples");
  const std::string words = train::plain_text(read_input(options.file), options.file == "-" ? "standard input" : options.file);
  Loaded loaded = load_language_model(path, "evaluate");
  if (!options.adapter.empty()) put_adapter(loaded, options.adapter, options.ignored_fields);
  const Tokenizer tokenizer = tokenizer_for(path);
  std::vector<Id> ids = encode(tokenizer, words);
  texts_with_adapter(loaded, tokenizer, options.around, options.adapter.empty() ? path : options.adapter).put_begin(ids);
  expect<ValueError>(options.window <= loaded.model->context(), "--window ", options.window, " is beyond the context of ",
                     loaded.model->context(), " tokens");
  expect<ValueError>(ids.size() >= 2, options.file, ": the text has ", ids.size(), ids.size() == 1 ? " token" : " tokens",
                     "; at least two are needed, to predict the second from the first");
  const bool live = !globals.quiet && isatty(STDERR_FILENO);
  const Evaluation result = graft::evaluate(*loaded.model, ids, options.window, [live](Index done, Index all) {
    if (live && all > 1) std::cerr << "\rwindow " << done << '/' << all << (done == all ? "\r\x1b[K" : "") << std::flush;
  });
  std::printf("mean negative log-likelihood per token  %.6f\nperplexity  %.4f\ntokens  %lld, %lld of them predicted\n",
              result.mean(), result.perplexity(), static_cast<long long>(ids.size()), static_cast<long long>(result.tokens));
  expect<FileError>(std::fflush(stdout) == 0, "could not write the output");
}

}  // namespace

void add_evaluate(const Command& program, const Globals& globals) {
  const auto options = std::make_shared<Options>();
  const Command command = program.add_command("evaluate", "measure how well a model predicts a text: log-likelihood and perplexity");
  add_model_option(command, options->model);
  add_adapter_option(command, options->adapter, options->ignored_fields);
  command.add_option("--text", options->file, "the text file; - is standard input")
      .required()
      .check(filled())
      .type_name("FILE");
  command
      .add_option("--window", options->window,
                  "read the text in windows of N tokens; the first token of each is not scored (default: the "
                  "model's context)")
      .check(whole(2, 1000000000))
      .type_name("N");
  add_bos_options(command, options->around.bos, options->around.no_bos, "it");
  command.footer("Example:\n  graft evaluate --model smollm2-135m --text README.md");
  command.callback([options, &globals] { evaluate(*options, globals); });
}

}  // namespace graft::cli
