// graft generate: a model continues a prompt, or answers. Text appears as it is generated, in whole characters; with several
// prompts, each answer appears when it is complete. Ctrl-C ends with the text so far.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>

#include "autograd/sizes.h"
#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/models.h"
#include "cli/options.h"
#include "cli/texts.h"
#include "nn/generate.h"
#include "tokenizer/chat.h"
#include "tokenizer/stream.h"

namespace graft::cli {
namespace {

struct Options {
  std::string model, adapter, file, chat;
  TextOptions around;
  std::vector<std::string> ignored_fields;
  std::vector<std::string> prompts, stops;
  Index max_tokens = 100;
  Sampling sampling;
  std::uint64_t seed = 1;
  bool no_echo = false, specials = false;
};

// --- input ----------------------------------------------------------------------------------------------------------------

struct Prompt {
  std::string shown;  // echoed before the new text
  std::vector<Id> ids;
};

std::vector<Prompt> read_prompts(const Options& options, const Texts& around, const Tokenizer& tokenizer) {
  if (!options.chat.empty()) {
    const std::vector<TokenId> ids = chatml(tokenizer, {{"user", options.chat}}, true, around.system);
    return {{"", {ids.begin(), ids.end()}}};
  }
  std::vector<std::string> texts = options.prompts;
  if (!options.file.empty()) texts = {read_input(options.file)};
  std::vector<Prompt> all;
  for (const std::string& words : texts) {
    Prompt prompt{words, encode(tokenizer, words, options.specials ? Specials::parse : Specials::as_text)};
    around.put_begin(prompt.ids);
    expect<ValueError>(!prompt.ids.empty(), "prompt ", all.size() + 1,
                       " has no tokens to continue from; write something, or add --bos");
    all.push_back(std::move(prompt));
  }
  return all;
}

/// How many tokens may be generated: the number given, or the default limited by the room in the context.
/// Errors: IndexError if the prompt and the number given exceed the context.
Index room(const Options& options, bool asked, Model& model, const std::vector<Prompt>& prompts) {
  const Index places = model.free_positions();
  Index n = options.max_tokens;
  for (const Prompt& prompt : prompts) {
    const Index length = size_of(prompt.ids), left = places - length;
    expect<IndexError>(left > 0, "the prompt has ", length, " tokens, and the model's context of ", model.context(),
                       " leaves no room for an answer", places < model.context() ? " beside the adapter" : "",
                       "; give a shorter prompt");
    expect<IndexError>(!asked || options.max_tokens <= left, "--max-tokens ", options.max_tokens, " and a prompt of ", length,
                       " tokens exceed the model's context of ", model.context(), "; at most ", left, " are possible");
    n = std::min(n, left);
  }
  return n;
}

// --- output ---------------------------------------------------------------------------------------------------------------

/// The text of each prompt as its tokens arrive. One prompt is written immediately; several are held until complete and
/// written in order under their numbers.
class Replies {
 public:
  Replies(const Tokenizer& tokenizer, const std::vector<Prompt>& prompts, const Options& options, const GenerateOptions& how,
          bool echo)
      : how_(how) {
    rows_.assign(prompts.size(), {TextStream(tokenizer, options.stops), "", 0, false});
    for (std::size_t b = 0; b < rows_.size(); ++b) {
      if (!live()) rows_[b].text = text("[", b + 1, "] ");
      if (echo) rows_[b].text += prompts[b].shown;
    }
    if (live()) write(rows_[0]);
  }

  bool push(Index b, Id token) {  // false: this row has ended
    Row& row = nth(rows_, b);
    ++row.tokens;
    const bool end = std::find(how_.ends.begin(), how_.ends.end(), token) != how_.ends.end();
    if (!end) row.text += row.stream.push(token);
    if (live()) write(row);
    if (end || row.stream.stopped() || row.tokens == how_.max_tokens || CatchSignals::caught()) complete(row);
    return !row.done && std::cout;
  }
  void finish() {
    for (Row& row : rows_) complete(row);
  }
  Index tokens() const {
    Index n = 0;
    for (const Row& row : rows_) n += row.tokens;
    return n;
  }

 private:
  struct Row {
    TextStream stream;
    std::string text;  // not yet written
    Index tokens;
    bool done;
  };
  bool live() const { return rows_.size() == 1; }

  void write(Row& row) {
    if (!row.text.empty()) last_ = row.text.back();
    std::cout << row.text << std::flush;
    row.text.clear();
  }
  void complete(Row& row) {
    if (row.done) return;
    row.done = true;
    row.text += row.stream.finish();
    for (; written_ < rows_.size() && rows_[written_].done; ++written_) {
      if (written_ > 0) std::cout << '\n';
      write(rows_[written_]);
      if (last_ != '\n') std::cout << '\n';
      std::cout << std::flush;
    }
  }

  const GenerateOptions& how_;
  std::vector<Row> rows_;
  std::size_t written_ = 0;  // rows before this one are complete and written
  char last_ = '\n';
};

/// The times of the first and the last token: reading the prompt and generating have different speeds.
class Clock {
 public:
  void tick() { (ticks_++ ? last_ : first_) = std::chrono::steady_clock::now(); }
  std::string report(Index prompt, Index tokens, Index rows) const {
    char line[160];
    const double reading = seconds(start_, first_), writing = seconds(first_, last_);
    int n = std::snprintf(line, sizeof line, "%lld tokens", static_cast<long long>(tokens));
    if (tokens > rows && writing > 0)  // the first token of each row counts as reading
      n += std::snprintf(line + n, sizeof line - static_cast<std::size_t>(n), ", %.1f tokens/s",
                         static_cast<double>(tokens - rows) / writing);
    std::snprintf(line + n, sizeof line - static_cast<std::size_t>(n), "; prompt of %lld tokens read in %.2f s",
                  static_cast<long long>(prompt), reading);
    return line;
  }

 private:
  using Time = std::chrono::steady_clock::time_point;
  static double seconds(Time from, Time to) { return std::chrono::duration<double>(to - from).count(); }
  Time start_ = std::chrono::steady_clock::now(), first_ = start_, last_ = start_;
  long ticks_ = 0;
};

void generate(const Options& options, bool asked, const Globals& globals) {
  const std::string path = find_model(options.model);
  Loaded loaded = load_language_model(path, "generate");
  if (!options.adapter.empty()) put_adapter(loaded, options.adapter, options.ignored_fields);
  const Tokenizer tokenizer = tokenizer_for(path);
  const Texts around = texts_with_adapter(loaded, tokenizer, options.around, options.adapter.empty() ? path : options.adapter);
  if (!options.chat.empty() && !globals.quiet)
    if (const std::string note = about_template(tokenizer, around); !note.empty()) std::cerr << "graft: " << note << std::endl;
  const std::vector<Prompt> prompts = read_prompts(options, around, tokenizer);

  GenerateOptions how;
  how.sampling = options.sampling;
  how.max_tokens = room(options, asked, *loaded.model, prompts);
  how.ends.insert(how.ends.end(), loaded.ends.begin(), loaded.ends.end());
  if (!options.chat.empty()) how.ends.push_back(tokenizer.id("<|im_end|>"));

  std::vector<std::vector<Id>> ids;
  Index length = 0;
  for (const Prompt& prompt : prompts) {
    ids.push_back(prompt.ids);
    length += size_of(prompt.ids);
  }
  const CatchSignals until_the_end{SIGINT};
  Replies replies(tokenizer, prompts, options, how, !options.no_echo && !globals.quiet);
  Rng rng(options.seed);
  Clock clock;
  graft::generate(*loaded.model, ids, how, rng, [&](Index row, Id token) {
    clock.tick();
    return replies.push(row, token);
  });
  replies.finish();
  if (!globals.quiet)
    std::cerr << clock.report(length, replies.tokens(), size_of(ids))
              << (CatchSignals::caught() ? "; interrupted" : "") << std::endl;
  if (CatchSignals::caught()) end_with(130);
}

}  // namespace

void add_generate(const Command& program, const Globals& globals) {
  const auto options = std::make_shared<Options>();
  const Command command = program.add_command("generate", "let a model continue a text, or answer");
  add_model_option(command, options->model);
  add_adapter_option(command, options->adapter, options->ignored_fields);
  const Option prompt =
      command.add_option("--prompt", options->prompts, "the text to continue; may be given several times")
          .repeatable()
          .type_name("TEXT");
  const Option file = command.add_option("--prompt-file", options->file, "the same from a file, unchanged; - is standard input")
                          .check(filled())
                          .excludes(prompt)
                          .type_name("FILE");
  const Option chat =
      command.add_option("--chat", options->chat, "a user's message to be answered, in ChatML; for models trained to chat")
          .check(filled())
          .excludes(prompt)
          .excludes(file)
          .type_name("TEXT");
  const Option system =
      command
          .add_option("--system", options->around.system,
                      "with --chat: the system message (default: that of the model's own template, if it is ChatML)")
          .needs(chat)
          .type_name("TEXT");
  command.add_flag("--no-system", options->around.no_system, "with --chat: no system message")
      .needs(chat)
      .excludes(system);
  const Option max_tokens = command.add_option("--max-tokens", options->max_tokens, "maximum number of new tokens")
                                .check(whole(1, 1000000000))
                                .show_default()
                                .type_name("N");
  const Option temperature =
      command
          .add_option("--temperature", options->sampling.temperature,
                      "0 takes the most likely token; 1 samples the model's distribution, and is the default with --top-k, "
                      "--top-p or --seed")
          .check(number(0, 1000))
          .show_default()
          .type_name("T");
  const Option top_k = command.add_option("--top-k", options->sampling.top_k, "sample only among the K most likely tokens; 0: all")
                           .check(whole(0, 1000000000))
                           .show_default()
                           .type_name("K");
  const Option top_p =
      command.add_option("--top-p", options->sampling.top_p, "sample among the fewest tokens that together have this probability")
          .check(number(0, 1))
          .check(above(0))
          .show_default()
          .type_name("P");
  command.add_option("--repetition-penalty", options->sampling.repetition_penalty, "above 1: tokens that occurred become less likely")
      .check(number(0.01, 100))
      .show_default()
      .type_name("X");
  const Option seed =
      command.add_option("--seed", options->seed, "seed of the random numbers; the same seed gives the same text")
          .check(whole(0, 1000000000000000))
          .show_default()
          .type_name("N");
  command.add_option("--stop", options->stops, "stop before this text; may be given several times")
      .repeatable()
      .check(filled())
      .type_name("TEXT");
  command.add_flag("--no-echo", options->no_echo, "write only the new text (so does --quiet)");
  add_bos_options(command, options->around.bos, options->around.no_bos, "each prompt", "", {chat});
  command
      .add_flag("--specials", options->specials, "read names such as <|im_start|> in a prompt as the special tokens they name")
      .excludes(chat);
  command.footer(
      "Examples:\n"
      "  graft generate --model smollm2-135m --prompt \"Once upon a time\" --max-tokens 40\n"
      "  graft generate --model smollm2-135m --chat \"What is the capital of France?\" --temperature 0.7 --top-p 0.9");
  command.callback([=, &globals] {
    if (prompt.count() + file.count() + chat.count() == 0) wrong_call("generate", "give --prompt, --prompt-file or --chat");
    const bool drawing = top_k.count() + top_p.count() + seed.count() > 0;  // meaningless without sampling
    if (temperature.count() == 0 && drawing) options->sampling.temperature = 1;
    generate(*options, max_tokens.count() > 0, globals);
  });
}

}  // namespace graft::cli
