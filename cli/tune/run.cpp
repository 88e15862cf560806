#include "cli/tune/run.h"

#include <csignal>
#include <iostream>
#include <nlohmann/json.hpp>

#include "autograd/ledger.h"
#include "autograd/threads.h"
#include "cli/interrupt.h"
#include "cli/models.h"
#include "cli/progress.h"
#include "cli/tune/answers.h"
#include "cli/tune/beginning.h"
#include "cli/tune/folder.h"
#include "cli/tune/log.h"
#include "cli/tune/result.h"
#include "cli/tune/said.h"
#include "cli/tune/trace.h"
#include "cli/tune/training.h"
#include "formats/file.h"
#include "peft/adapter_file.h"
#include "train/checkpoint.h"

namespace graft::cli {

using nlohmann::json;

namespace {

/// Says so if the run began otherwise than it goes on. Errors: ValueError: with other data, or another model.
void compare_with(const Beginning& then, const json& data) {
  if (then.threads != threads())
    std::cerr << "graft: the run began with " << then.threads << " threads and goes on with " << threads()
              << "; its numbers will differ in the last digits. --threads " << then.threads << " continues it bit for bit"
              << std::endl;
  for (const auto& [file, mark] : data.items())
    expect<ValueError>(!then.data.contains(file) || then.data[file] == mark, "--resume: ", file,
                       " is not what it was when the run began; put it back, or start another run");
}

}  // namespace

void run_tune(const Settings& settings, const json& options, const Globals& globals) {
  const Folder folder(settings.out, "graft tune");
  const bool resumed = !settings.resume.empty();
  expect<ValueError>(!resumed || !settings.force, "--resume goes on with a run, --force replaces it; they do not go together");
  const bool replaced = !resumed && settings.force && folder.begun();
  const std::string model = find_model(settings.model);
  for (const std::string& needed : {model, settings.data, settings.validation, settings.test})
    expect<ValueError>(!replaced || needed.empty() || !folder.holds(needed), "--force: ", needed, " lies in ", settings.out,
                       ", which would be replaced; name another folder, or put it elsewhere first");
  expect<ValueError>(resumed || replaced || !folder.begun(), "--out: ", settings.out, " holds a run already; --resume ",
                     settings.out, " goes on with it, --force replaces it");
  expect<ValueError>(resumed || replaced || !folder.foreign(), "--out: ", settings.out,
                     " is not empty, and what it holds is not a run of graft tune; ", "name another folder");

  const CatchSignals signals{SIGINT, SIGTERM, SIGHUP};
  const json data = marks_of({model, settings.data, settings.validation, settings.test});
  if (resumed) compare_with(read_beginning(folder.file("run.json")).value(), data);
  Job job(settings);
  for (const peft::Attached& one : job.chosen.attached)
    if (!one.method->in_place()) peft::expect_saveable(job.host(), one);  // rather than after hours
  if (replaced) folder.clear();  // now that nothing is wrong with the new one
  if (!resumed) write_beginning(folder.file("run.json"), {options, data, threads(), job.texts});

  train::Progress progress;
  const std::unique_ptr<train::Optimizer> rule = optimizer(job);
  const train::NamedParams learning = peft::learning(job.host());
  const bool to_go_on = resumed && folder.has("checkpoint.safetensors");
  if (to_go_on) {
    train::Checkpoint checkpoint = train::load_checkpoint(learning, folder.file("checkpoint.safetensors"));
    progress = train::Progress::from(checkpoint.facts);
    rule->load(checkpoint.optimizer);
    job.rng = checkpoint.rng;
  }
  Log log(settings.out, progress.step);
  Progress live("", job.steps(), globals.quiet, progress.step);
  live.say(described(job));
  for (const std::string& note : notes(job)) live.say(note);
  live.say(described_data(job) + (to_go_on ? text(", from step ", progress.step) : ""));

  if (settings.trace && progress.step == 0) write_trace(job, folder.file("trace"));

  // What the base says without the method is asked before anything is learned.
  const bool can_answer_untuned =
      !job.asked().examples.empty() && (!job.classes() || job.classes()->by_words());
  const auto stopped_while = [&](const char* what, const auto& work) {
    try {
      work();
    } catch (const Interrupted&) {
      live.say(text("stopped ", what, "; graft tune --resume ", settings.out, " goes on"));
      throw;
    }
  };
  if (!folder.has("before.json"))
    stopped_while("before the first step", [&] {
      write_json(folder.file("before.json"),
                 can_answer_untuned ? score(job, answer(job, false)) : json::object());
    });

  const train::Plan course = plan(job);
  reset_peaks();
  train::Hooks hooks;
  std::string held_out;
  const double tokens = static_cast<double>(job.data().tokens()) / static_cast<double>(job.data().examples.size()) *
                        static_cast<double>(settings.batch * settings.accumulate);
  hooks.stepped = [&](const train::Hooks::Step& s) {
    log.write({{"step", s.step}, {"loss", s.loss}, {"norm", s.norm}, {"rate", s.rate}, {"seconds", s.seconds}});
    live.show(s.step, text("loss ", digits(s.loss), held_out), tokens);
  };
  hooks.evaluated = [&](const train::Progress& p, double loss, bool best) {
    log.write({{"step", p.step}, {"held_out_loss", loss}, {"best", best}});
    held_out = text("  held out ", digits(loss));
    if (best) train::save_checkpoint(learning, {}, job.rng, folder.file(Folder::best(p.step)));
  };
  hooks.save = [&](const train::Progress& p) {
    train::save_checkpoint(learning, rule->state(), job.rng, folder.file("checkpoint.safetensors"), p.facts());
    folder.keep_best(p.best_step);
  };
  hooks.stop = [] { return CatchSignals::caught() != 0; };
  const train::End end = train::run(*job.task, *rule, course, progress, hooks);
  if (end == train::End::stopped) {
    live.say(text("stopped after step ", progress.step, "; graft tune --resume ", settings.out, " goes on"));
    throw Interrupted{CatchSignals::caught()};
  }
  if (end == train::End::patience)
    live.say(text("nothing better in ", course.patience, " looks; ended after step ", progress.step));
  const json used = peaks();
  if (progress.best_step >= 0 && progress.best_step != progress.step) {
    (void)train::load_checkpoint(learning, folder.file(Folder::best(progress.best_step)));
    live.say(text("the parameters of step ", progress.best_step, " are kept, the best on held-out data"));
  }
  const std::uintmax_t bytes = save_result(job, folder);
  if (job.classes()) tune::save_classes({job.data().labels, job.words, job.chosen.quantized > 0}, folder.path());

  json before = json::parse(formats::read_text(folder.file("before.json")), nullptr, false);
  if (!before.is_object()) before = json::object();  // somebody else wrote there
  json result;
  stopped_while("before all is scored; what was learned is saved",
                [&] { result = result_of(job, progress, log.lines(), before); });
  result["peak"] = used, result["adapter_bytes"] = bytes;
  write_json(folder.file("result.json"), result);
  if (!globals.quiet) {
    std::cout << summary(result);
    std::cout << "in " << settings.out << "\n";
  }
}

}  // namespace graft::cli
