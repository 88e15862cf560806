#include "cli/tune/run.h"

#include <csignal>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

#include "autograd/ledger.h"
#include "autograd/threads.h"
#include "cli/interrupt.h"
#include "cli/models.h"
#include "cli/progress.h"
#include "cli/tune/answers.h"
#include "cli/tune/describe.h"
#include "cli/tune/folder.h"
#include "cli/tune/log.h"
#include "cli/tune/manifest.h"
#include "cli/tune/result.h"
#include "cli/tune/trace.h"
#include "formats/file.h"
#include "peft/adapter_file.h"
#include "train/checkpoint.h"

namespace graft::cli {

using nlohmann::json;

namespace {

/// Warns if the number of threads has changed. Errors: ValueError if the data or the model have changed.
void compare_with(const Manifest& then, const json& data) {
  if (then.threads != threads())
    std::cerr << "graft: the run began with " << then.threads << " threads and continues with " << threads()
              << "; its numbers will differ in the last digits. --threads " << then.threads << " continues it bit for bit"
              << std::endl;
  for (const auto& [file, mark] : data.items())
    expect<ValueError>(!then.data.contains(file) || then.data[file] == mark, "--resume: ", file,
                       " has changed since the run began; restore it, or start another run");
}

enum class Start { fresh, replaced, resumed };

/// Errors: ValueError if something would be lost or mixed up.
Start start_of(const Settings& s, const Folder& folder) {
  const bool resumed = !s.resume.empty();
  expect<ValueError>(!resumed || !s.force, "--resume continues a run, --force replaces it; give only one of them");
  const bool replaced = !resumed && s.force && folder.begun();
  for (const std::string& needed : {find_model(s.model), s.data, s.validation, s.test})
    expect<ValueError>(!replaced || needed.empty() || !folder.holds(needed), "--force: ", needed, " is inside ", s.out,
                       ", which would be replaced; name another folder, or move it elsewhere first");
  expect<ValueError>(resumed || replaced || !folder.begun(), "--out: ", s.out, " holds a run already; --resume ", s.out,
                     " continues it, --force replaces it");
  expect<ValueError>(resumed || replaced || !folder.foreign(), "--out: ", s.out,
                     " is not empty and does not hold a run of graft tune; ", "name another folder");
  return resumed ? Start::resumed : replaced ? Start::replaced : Start::fresh;
}

/// The fingerprints of a run's files, checked against those in run.json if it is resumed. Errors: FileError, ValueError
json checked_data(const Settings& s, const Folder& folder, Start start) {
  json data = marks_of({find_model(s.model), s.data, s.validation, s.test});
  if (start == Start::resumed) compare_with(tune::read_run(folder.file("run.json")).value(), data);
  return data;
}

class Run {
 public:
  /// Creates everything that is trained; for a continued run, from its checkpoint. Errors: those of the parts
  Run(const Settings& settings, const json& options, const json& data, const Folder& folder, Start start, const Globals& globals);

  void describe();           ///< which method, which data, how many steps
  void answer_untuned();     ///< before.json: the answers of the base without the method, before training
  void train();              ///< Errors: Interrupted
  void keep_best();          ///< restores the best parameters and saves their adapter
  void write_result();

 private:
  template <class Work>
  void stopped_while(const char* what, const Work& work) {
    try {
      work();
    } catch (const Interrupted&) {
      line_->say(text("stopped ", what, "; graft tune --resume ", settings_.out, " continues"));
      throw;
    }
  }
  train::Hooks hooks();

  const Settings& settings_;
  const Folder& folder_;
  const Globals& globals_;
  Job job_;
  std::unique_ptr<train::Optimizer> optimizer_;
  train::NamedParams learning_;
  train::TrainingState state_;
  bool goes_on_;
  std::optional<Log> log_;
  std::optional<ProgressLine> line_;
  std::string held_out_;  // the last held-out loss, as displayed
  json peaks_;
  std::uintmax_t adapter_bytes_ = 0;
};

Run::Run(const Settings& settings, const json& options, const json& data, const Folder& folder, Start start,
         const Globals& globals)
    : settings_(settings),
      folder_(folder),
      globals_(globals),
      job_(settings),
      goes_on_(start == Start::resumed && folder.has("checkpoint.safetensors")) {
  for (const peft::Attached& one : job_.chosen.attached)
    if (!one.method->in_place()) peft::expect_saveable(job_.base(), one);  // now rather than after hours
  if (start == Start::replaced) folder.clear();  // only now that the new run is known to be valid
  if (start != Start::resumed) write_manifest(folder.file("run.json"), {options, data, threads(), job_.texts});
  optimizer_ = job_.optimizer();
  learning_ = peft::learning(job_.base());
  if (goes_on_) {
    train::Checkpoint checkpoint = train::load_checkpoint(learning_, folder.file("checkpoint.safetensors"));
    state_ = train::TrainingState::from(checkpoint.metadata);
    optimizer_->load(checkpoint.optimizer);
    job_.rng = checkpoint.rng;
  }
  log_.emplace(settings.out, state_.step);
  line_.emplace("", job_.steps(), globals.quiet, state_.step);
}

void Run::describe() {
  line_->say(described(job_));
  for (const std::string& note : notes(job_)) line_->say(note);
  line_->say(described_data(job_) + (goes_on_ ? text(", from step ", state_.step) : ""));
  if (settings_.trace && state_.step == 0) write_trace(job_, folder_.file("trace"));
}

void Run::answer_untuned() {
  if (folder_.has("before.json")) return;
  const bool can_answer = !job_.eval_set().examples.empty() && (!job_.classes() || job_.classes()->by_words());
  stopped_while("before the first step", [&] {
    write_json(folder_.file("before.json"), can_answer ? score(job_, answer(job_, false)) : json::object());
  });
}

train::Hooks Run::hooks() {
  train::Hooks hooks;
  const double tokens = static_cast<double>(job_.data().tokens()) / static_cast<double>(job_.data().examples.size()) *
                        static_cast<double>(settings_.batch * settings_.accumulate);
  hooks.on_step = [this, tokens](const train::Hooks::Step& s) {
    log_->write({{"step", s.step}, {"loss", s.loss}, {"norm", s.norm}, {"rate", s.rate}, {"seconds", s.seconds}});
    line_->show(s.step, text("loss ", digits(s.loss), held_out_), tokens);
  };
  hooks.on_evaluation = [this](const train::TrainingState& at, double loss, bool best) {
    log_->write({{"step", at.step}, {"held_out_loss", loss}, {"best", best}});
    held_out_ = text("  held out ", digits(loss));
    if (best) train::save_checkpoint(learning_, {}, job_.rng, folder_.file(Folder::best(at.step)));
  };
  hooks.save = [this](const train::TrainingState& at) {
    train::save_checkpoint(learning_, optimizer_->state(), job_.rng, folder_.file("checkpoint.safetensors"), at.metadata());
    folder_.keep_best(at.best_step);
  };
  hooks.stop = [] { return CatchSignals::caught() != 0; };
  return hooks;
}

void Run::train() {
  const train::Plan schedule = job_.plan();
  reset_peaks();
  const train::End end = train::run(*job_.task, *optimizer_, schedule, state_, hooks());
  if (end == train::End::stopped) {
    line_->say(text("stopped after step ", state_.step, "; graft tune --resume ", settings_.out, " continues"));
    throw Interrupted{CatchSignals::caught()};
  }
  if (end == train::End::patience)
    line_->say(text("no improvement in ", schedule.patience, " evaluations; stopped at step ", state_.step));
  peaks_ = peaks();
}

void Run::keep_best() {
  if (state_.best_step >= 0 && state_.best_step != state_.step) {
    (void)train::load_checkpoint(learning_, folder_.file(Folder::best(state_.best_step)));
    line_->say(text("the parameters of step ", state_.best_step, " are kept, the best on held-out data"));
  }
  adapter_bytes_ = save_result(job_, folder_);
  if (job_.classes()) tune::save_classes({job_.data().labels, job_.words, job_.chosen.quantized > 0}, folder_.path());
}

void Run::write_result() {
  json before = json::parse(formats::read_text(folder_.file("before.json")), nullptr, false);
  if (!before.is_object()) before = json::object();  // another program wrote there
  json result;
  stopped_while("before scoring was complete; the trained parameters are saved",
                [&] { result = result_of(job_, state_, log_->lines(), before); });
  result["peak"] = peaks_, result["adapter_bytes"] = adapter_bytes_;
  write_json(folder_.file("result.json"), result);
  if (!globals_.quiet) std::cout << summary(result) << "in " << settings_.out << "\n";
}

}  // namespace

void run_tune(const Settings& settings, const json& options, const Globals& globals) {
  const Folder folder(settings.out, "graft tune");
  const Start start = start_of(settings, folder);
  const CatchSignals signals{SIGINT, SIGTERM, SIGHUP};
  const json data = checked_data(settings, folder, start);
  Run run(settings, options, data, folder, start, globals);
  run.describe();
  run.answer_untuned();
  run.train();
  run.keep_best();
  run.write_result();
}

}  // namespace graft::cli
