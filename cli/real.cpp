// graft real: a real model on a real text. SmolLM2-135M learns the language of the King James Bible, and classifies a verse by
// the kind of book that it is from.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "autograd/errors.h"
#include "autograd/rng.h"
#include "autograd/threads.h"
#include "cli/commands.h"
#include "cli/compare/comparison.h"
#include "cli/compare/runs.h"
#include "cli/models.h"
#include "cli/options.h"
#include "cli/printable.h"
#include "cli/progress.h"
#include "cli/real/bible.h"
#include "cli/real/speed.h"
#include "cli/tune/folder.h"
#include "formats/file.h"

namespace graft::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct Options {
  std::string model = "smollm2-135m", bible, out = "graft-real", part = "both";
  Index steps = 0, length = 128;
};

/// The whole text in order for the language task, and a few thousand verses with the kind of their book.
void write_data(const std::vector<Verse>& verses, const fs::path& folder) {
  std::string learned, held;
  for (const Verse& v : verses) (held_out(v) ? held : learned) += v.text + "\n";
  formats::write_text((folder / "bible.txt").string(), learned);
  // About 6,000 tokens of held-out chapters, from all books: enough to measure, and fast.
  std::string some;
  std::size_t i = 0;
  for (const Verse& v : verses)
    if (held_out(v) && i++ % 18 == 0) some += v.text + "\n";
  formats::write_text((folder / "bible.held.txt").string(), some);

  std::vector<const Verse*> pool[2];
  for (const Verse& v : verses)
    if (!kind_of_book(v.book).empty() && v.text.size() < 260) pool[held_out(v)].push_back(&v);
  Rng rng(3);
  const std::size_t counts[2] = {4000, 360};
  for (const int held_part : {0, 1}) {
    const std::size_t there = pool[held_part].size();
    expect<ValueError>(there >= counts[held_part], "--bible: the chapters ",
                       held_part ? "that are held out" : "to learn from", " must have ", counts[held_part],
                       " verses whose book is of a known kind, but there are ", there,
                       "; give the whole Bible, as `bible -f gen1:1-rev22:21` prints it");
    std::string lines;
    for (std::size_t n = 0; n < counts[held_part]; ++n) {  // drawn without replacement
      std::vector<const Verse*>& from = pool[held_part];
      std::swap(from[n], from[n + static_cast<std::size_t>(rng.below(static_cast<Index>(from.size() - n)))]);
      lines += json{{"text", from[n]->text}, {"label", kind_of_book(from[n]->book)}}.dump() + "\n";
    }
    formats::write_text((folder / (held_part ? "kinds.held.jsonl" : "kinds.jsonl")).string(), lines);
  }
}

Comparison comparison_of(const Options& o, const fs::path& out, const std::string& model) {
  Comparison c;
  c.title = "SmolLM2-135M reads the King James Bible";
  c.command = "graft real";
  c.out = out.string();
  c.jobs = std::min(2, threads());
  c.threads = std::max(1, threads() / c.jobs);
  const auto steps = [&](Index usual) { return o.steps > 0 ? std::min(o.steps, usual) : usual; };
  if (o.part != "kinds") {
    c.tasks.push_back({"language", "The language of the Bible: NLL per token on held-out chapters", "Lower is better."});
    const json usual{{"model", model},
                     {"data", (out / "data" / "bible.txt").string()},
                     {"test", (out / "data" / "bible.held.txt").string()},
                     {"split", 0.005},
                     {"length", o.length},
                     {"batch", 4},
                     {"warmup", 0.1},
                     {"steps", steps(80)},
                     {"score", 4},
                     {"samples", 3},
                     {"evaluate-every", std::max<Index>(1, steps(80) / 2)}};
    json lora = usual, qlora = usual;
    lora["r"] = qlora["r"] = 8, lora["alpha"] = qlora["alpha"] = 16, lora["rate"] = qlora["rate"] = 1e-3;
    qlora["targets"] = {"q", "k", "v", "out", "up", "down", "gate"};
    c.runs.push_back({"language", "lora", "", "LoRA on q and v", "", lora, 1});
    c.runs.push_back({"language", "qlora", "", "QLoRA style: all projections, packed base", "", qlora, 1});
  }
  if (o.part != "language") {
    c.tasks.push_back({"kinds", "What kind of book is a verse from?", "Held-out chapters are held out as a whole."});
    const auto add = [&](const char* method, const json& options) {
      json all{{"model", model},
               {"data", (out / "data" / "kinds.jsonl").string()},
               {"test", (out / "data" / "kinds.held.jsonl").string()},
               {"split", 0.05},
               {"batch", 16},
               {"warmup", 0.1},
               {"score", 360},
               {"samples", 4}};
      all.update(options);
      all["steps"] = steps(all["steps"].get<Index>());
      all["evaluate-every"] = std::max<Index>(1, all["steps"].get<Index>() / 2);
      c.runs.push_back({"kinds", method, "", "", "", all, 1});
    };
    add("probe", {{"rate", 1e-2}, {"steps", 200}});
    add("lora", {{"r", 8}, {"alpha", 16}, {"rate", 3e-3}, {"steps", 160}});
    // Not the LSTM: at rates where it trains on this model, rounding alone changes the course of training (bench/README.md).
    add("p-tuning", {{"template", "Verse: [v]*8 {sentence} [v]*4 This stands in the book of [v]*2 [answer]"},
                     {"encoder", "mlp"},
                     {"rate", 2e-3},
                     {"steps", 160}});
    add("p-tuning-v2", {{"virtual", 16}, {"init", "zero"}, {"rate", 5e-3}, {"steps", 160}});
    add("ensemble", {{"virtual", 16}, {"prompts", 3}, {"rate", 3e-3}, {"steps", 100}, {"batch", 8}});
  }
  return c;
}

/// One sample per method: how the base continues, and how the tuned model does.
void samples_of(const json& task) {
  for (const json& run : task["runs"]) {
    if (!run.contains("samples") || run["samples"].empty()) continue;
    const auto of = [&](const char* key) { return printable(run["samples"][0][key].get<std::string>()); };
    std::cout << run["method"].get<std::string>() << ", continuing: " << of("prompt") << "\n  before: " << of("before")
              << "\n  after:  " << of("after") << "\n\n";
  }
}

void real(const Options& o, const Globals& globals) {
  const std::string model = fs::absolute(find_model(o.model)).string();
  const fs::path out = fs::absolute(o.out).lexically_normal();
  write_data(read_bible(o.bible), make_folder(out / "data"));
  const Comparison comparison = comparison_of(o, out, model);
  ProgressLine say("", 0, globals.quiet);
  double tokens = 0;
  for (const Run& run : runs_of(comparison, out / "runs"))
    if (!run.complete()) tokens += run.work * static_cast<double>(run.steps);
  if (tokens > 0) {
    // A step costs a forward pass and about as much for backward; evaluating, scoring and writing about one more forward pass.
    const double minutes = std::ceil(3.2 * tokens / reading_speed(model) / 60);
    say.say(text("About ", minutes, minutes == 1 ? " minute" : " minutes",
                 " on this machine. Ctrl-C keeps what is done; the same command continues."));
  }
  const json report = run_all(comparison, globals);
  std::cout << tables(report, false);
  for (const json& task : report["tasks"]) {
    if (task["id"] == "kinds") std::cout << "Rows are the true classes, columns the predicted ones.\n\n" << confusions(task);
    if (task["id"] == "language") samples_of(task);
  }
  std::cout << "report: " << out.string() << "/report.html\n";
}

}  // namespace

void add_real(const Command& program, const Globals& globals) {
  const auto o = std::make_shared<Options>();
  const Command command = program.add_command("real", "fine-tune SmolLM2-135M on the King James Bible; ./run real fetches both");
  command.add_option("--model", o->model, "the model").check(filled()).show_default().type_name("MODEL");
  command.add_option("--bible", o->bible, "a file with the output of `bible -f gen1:1-rev22:21`")
      .required()
      .check(filled())
      .type_name("FILE");
  command.add_option("--out", o->out, "a folder for the report and everything else")
      .check(filled())
      .show_default()
      .type_name("DIR");
  command.add_option("--part", o->part, "language, kinds or both")
      .check([](const std::string& word) -> std::string {
        return word == "language" || word == "kinds" || word == "both"
                   ? ""
                   : "must be language, kinds or both, not \"" + word + "\"";
      })
      .show_default()
      .type_name("PART");
  command.add_option("--steps", o->steps, "limit each training to N steps, for a quick look")
      .check(whole(1, 1000000))
      .type_name("N");
  command.add_option("--length", o->length, "tokens per window in the language task")
      .check(whole(2, 1000000))
      .show_default()
      .type_name("N");
  command.footer("Example:\n  graft real --bible bible.txt --part language");
  command.callback([o, &globals] { real(*o, globals); });
}

}  // namespace graft::cli
