// graft demo: all of it in a few minutes. A small world is told (demo/world.h), a tokenizer and a small GPT learn its language, and
// every method teaches the frozen model two things that it cannot do: to write a sentence from a table, and to judge a review.
#include <filesystem>
#include <iostream>
#include <memory>

#include "cli/commands.h"
#include "cli/compare/plan.h"
#include "cli/demo/base.h"
#include "cli/demo/recipes.h"
#include "cli/demo/tasks.h"
#include "cli/options.h"
#include "cli/progress.h"

namespace graft::cli {
namespace {

struct Options {
  std::string out = "graft-demo";
  int seeds = 1;
  Index steps = 0;
};

void demo(const Options& options, const Globals& globals) {
  const std::string out = std::filesystem::absolute(options.out).lexically_normal().string();
  Progress say("", 0, globals.quiet);
  say.say("A small world is told, and a GPT learns its language.");
  const std::string base = demo_base(out, options.steps, globals), tasks = out + "/tasks";
  write_tasks(tasks);
  say.say("Now it is frozen, and each method teaches it two tasks.");
  Comparison comparison = demo_comparison(base, tasks, out, options.seeds, options.steps);
  const nlohmann::json report = carry_out(comparison, globals);
  std::cout << tables(report, false) << "report: " << out << "/report.html\n";
}

}  // namespace

void add_demo(const Command& program, const Globals& globals) {
  const auto options = std::make_shared<Options>();
  const Command command = program.add_command("demo", "pretrain a small GPT and fine-tune it by every method, in some minutes");
  command.add_option("--out", options->out, "a folder for the report and all that is made; a second call goes on in it")
      .check(filled())
      .show_default()
      .type_name("DIR");
  command.add_option("--seeds", options->seeds, "train each method with so many seeds")
      .check(whole(1, 20))
      .show_default()
      .type_name("N");
  command.add_option("--steps", options->steps, "at most so many steps of each training, for a quick look")
      .check(whole(1, 1000000))
      .type_name("N");
  command.footer("Example:\n  graft demo --seeds 3");
  command.callback([options, &globals] { demo(*options, globals); });
}

}  // namespace graft::cli
