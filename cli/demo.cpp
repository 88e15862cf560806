// graft demo: all in a few minutes. A tokenizer and a small GPT learn the language of a made-up world (demo/world.h), and
// each method teaches the frozen model two tasks that it cannot do: writing a sentence from a table, and judging a review.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>

#include "autograd/errors.h"
#include "autograd/threads.h"
#include "cli/commands.h"
#include "cli/compare/comparison.h"
#include "cli/demo/base.h"
#include "cli/demo/recipes.h"
#include "cli/demo/tasks.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/tune/folder.h"
#include "formats/file.h"

namespace graft::cli {
namespace {

struct Options {
  std::string out = "graft-demo", size;  // "": chosen by measuring
  int seeds = 1;
  Index steps = 0;
};

constexpr double minutes = 5;  // that a demo may take by default

/// The size given; or that of the demo already in `out`; or the largest that finishes in time on this machine.
const DemoSize& choose(const Options& options, const std::string& out, const DemoBases& bases, ProgressLine& say) {
  if (!options.size.empty()) return demo_size(options.size);
  const std::string kept = out + "/demo-size.txt";
  if (std::filesystem::exists(kept)) {
    const DemoSize& size = demo_size(formats::read_text(kept));
    say.say("size " + size.name + ", the same as the demo in " + options.out + "; --size chooses another");
    return size;
  }
  if (options.steps > 0) return demo_sizes().front();
  const DemoPace pace = DemoPace::measured();
  const auto seconds = [&](const DemoSize& size) {
    return pace.seconds(size, options.seeds, std::min(2, threads()), bases.is_there(size));
  };
  const DemoSize* chosen = &demo_sizes().back();
  for (const DemoSize& size : demo_sizes())
    if (seconds(size) <= 60 * minutes) {
      chosen = &size;
      break;
    }
  say.say(text("size ", chosen->name, ": about ", short_time(seconds(*chosen)), " on this machine; --size ", chosen->name,
               " gives the same results anywhere",
               chosen == &demo_sizes().front()
                   ? ""
                   : text(", --size ", demo_sizes().front().name, " takes ", short_time(seconds(demo_sizes().front())))));
  return *chosen;
}

void demo(const Options& options, const Globals& globals) {
  const std::string out = std::filesystem::absolute(options.out).lexically_normal().string();
  ProgressLine say("", 0, globals.quiet);
  const DemoBases bases(out, options.steps);
  const DemoSize& size = choose(options, out, bases, say);
  formats::write_text((make_folder(out) / "demo-size.txt").string(), size.name);
  say.say("A GPT learns the language of a small made-up world.");
  const std::string base = bases.made(size, globals), tasks = out + "/tasks";
  write_tasks(tasks);
  say.say("Now it is frozen, and each method teaches it two tasks.");
  Comparison comparison = demo_comparison(base, tasks, out, size, options.seeds, options.steps);
  const nlohmann::json report = run_all(comparison, globals);
  std::cout << tables(report, false) << "report: " << out << "/report.html\n";
}

}  // namespace

void add_demo(const Command& program, const Globals& globals) {
  const auto options = std::make_shared<Options>();
  const Command command = program.add_command("demo", "pretrain a small GPT and fine-tune it with every method, in a few minutes");
  command.add_option("--out", options->out, "a folder for the report and everything else; running again continues in it")
      .check(filled())
      .show_default()
      .type_name("DIR");
  command.add_option("--seeds", options->seeds, "number of seeds to train each method with")
      .check(whole(1, 20))
      .show_default()
      .type_name("N");
  std::vector<std::string> names;
  for (const DemoSize& size : demo_sizes()) names.push_back(size.name);
  command.add_option("--size", options->size,
                     "large, medium or small: of the model and the trainings (default: the largest that takes about "
                     "5 minutes on this machine, which is measured first)")
      .check(one_of(names))
      .type_name("SIZE");
  command.add_option("--steps", options->steps, "limit each training to N steps, for a quick look")
      .check(whole(1, 1000000))
      .type_name("N");
  command.footer("Example:\n  graft demo --size large --seeds 3");
  command.callback([options, &globals] { demo(*options, globals); });
}

}  // namespace graft::cli
