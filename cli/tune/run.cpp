#include "cli/tune/run.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <set>

#include "autograd/ledger.h"
#include "autograd/threads.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/tune/insight.h"
#include "cli/tune/job.h"
#include "cli/tune/log.h"
#include "cli/tune/score.h"
#include "formats/file.h"
#include "peft/adapter_file.h"
#include "train/checkpoint.h"

namespace graft::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// --- the folder -----------------------------------------------------------------------------------------------------------

/// The folder of a run, held by one process at a time.
class Folder {
 public:
  explicit Folder(const std::string& path) : path_(path) {
    std::error_code error;
    fs::create_directories(path_, error);
    expect<FileError>(!error && fs::is_directory(path_), "--out: cannot make the folder ", path,
                      error ? ": " + error.message() : "");
    lock_ = open((path_ / ".lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
    expect<FileError>(lock_ >= 0, "--out: cannot write to ", path);
    if (flock(lock_, LOCK_EX | LOCK_NB) != 0) {
      close(lock_);
      throw FileError(text("--out: another graft tune is at work in ", path));
    }
  }
  ~Folder() { close(lock_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string file(const std::string& name) const { return (path_ / name).string(); }
  bool has(const std::string& name) const { return fs::exists(path_ / name); }
  bool begun() const { return has("run.json"); }
  std::string path() const { return path_.string(); }

  static std::string best(Index step) { return text("best-", step, ".safetensors"); }
  /// Removes what a run leaves, or of its best parameters all but those of one step.
  void clear() const {
    for (const auto& entry : fs::directory_iterator(path_))
      if (entry.path().filename() != ".lock") fs::remove_all(entry.path());
  }
  void keep_best(Index step) const {
    for (const auto& entry : fs::directory_iterator(path_)) {
      const std::string name = entry.path().filename().string();
      if (name.rfind("best-", 0) == 0 && name != best(step)) fs::remove(entry.path());
    }
  }

 private:
  fs::path path_;
  int lock_;
};

void write_json(const std::string& file, const json& value) {
  formats::write_text(file, value.dump(1, ' ', false, json::error_handler_t::replace) + "\n");
}

// --- what is said -----------------------------------------------------------------------------------------------------------

std::string described(const Job& job) {
  const MethodKind& kind = method_kind(job.settings.method.name);
  std::string line = text(kind.title, " on ", job.loaded.model->kind(), ": ", peft::report(job.host()));
  if (job.chosen.quantized > 0) line += text("; ", job.chosen.quantized, " weights in 4 bits");
  return line;
}

std::string described_data(const Job& job) {
  const auto& s = job.settings;
  std::string line = text(job.data.examples.size(), " examples of ", name(job.data.kind), ", ", job.data.tokens(),
                          " tokens; held out ", job.held.examples.size());
  if (job.data.cut + job.held.cut > 0) line += text("; ", job.data.cut + job.held.cut, " were too long and are cut");
  line += text(". ", job.steps(), " steps of ", s.batch * s.accumulate, " examples");
  return line;
}

json peak() {
  const Ledger l = ledger();
  const auto of = [&](Category c) { return l.peak[static_cast<std::size_t>(c)]; };
  return {{"frozen", of(Category::frozen)},      {"parameters", of(Category::trainable)},
          {"gradients", of(Category::gradient)}, {"optimizer", of(Category::optimizer)},
          {"activations", of(Category::saved)},  {"other", of(Category::temporary)},
          {"mapped", of(Category::mapped)},      {"total", l.total_peak}};
}

// --- results ----------------------------------------------------------------------------------------------------------------

/// The adapter, or the model, whole or not at all. Returns its bytes, and those of its configuration.
std::uintmax_t save_result(Job& job, const Folder& folder) {
  std::uintmax_t bytes = 0;
  const auto saved = [&](const std::string& into, const auto& save) {
    std::set<fs::path> before;
    for (const auto& entry : fs::directory_iterator(into)) before.insert(entry.path());
    for (const char* own : {"adapter_model.safetensors", "adapter_config.json", "model.safetensors"})
      before.erase(fs::path(into) / own);
    save();
    for (const auto& entry : fs::directory_iterator(into))
      if (before.count(entry.path()) == 0 && entry.is_regular_file()) bytes += entry.file_size();
  };
  if (job.chosen.attached[0].method->in_place()) {
    saved(folder.path(), [&] { save_model(job.loaded, folder.path(), "F32", &job.tokenizer); });
    return bytes;
  }
  for (const peft::Attached& one : job.chosen.attached) {
    const std::string into = job.chosen.ensemble() ? folder.file(one.name) : folder.path();
    fs::create_directories(into);
    saved(into, [&] { peft::save_adapter(job.host(), one, into, job.settings.model); });
  }
  return bytes;
}

json numbers(const std::vector<json>& lines, const char* key) {
  json all = json::array();
  for (const json& line : lines)
    if (line.contains(key)) all.push_back(line[key]);
  return all;
}

json curve(const std::vector<json>& lines, const char* key) {
  json steps = json::array();
  for (const json& line : lines)
    if (line.contains(key)) steps.push_back(line["step"]);
  return {{"step", steps}, {"loss", numbers(lines, key)}};
}

/// trace/: the adapter as it starts (and start.safetensors with the encoders that its file leaves out), batches.jsonl and held.jsonl.
void write_trace(Job& job, const Folder& folder, const train::NamedParams& learning) {
  const std::string into = folder.file("trace");
  fs::create_directories(into);
  train::save_checkpoint(learning, {}, job.rng, into + "/start.safetensors");
  if (!job.chosen.attached[0].method->in_place() && !job.chosen.ensemble())
    peft::save_adapter(job.host(), job.chosen.attached[0], into, job.settings.model);
  const auto rows = [](const Ids& ids) {
    json all = json::array();
    const Index T = ids.shape()[1];
    for (Index b = 0; b < ids.shape()[0]; ++b) all.push_back(std::vector<Id>(ids.begin() + b * T, ids.begin() + (b + 1) * T));
    return all;
  };
  const auto line = [&](const Framed& f) {
    return json{{"ids", rows(f.ids)}, {"labels", rows(f.labels)}, {"lengths", f.lengths}};
  };
  std::string batches, held;
  for (Index s = 0; s < job.steps(); ++s) {
    json parts = json::array();
    for (const Framed& part : job.batches(s)) parts.push_back(line(part));
    batches += json{{"step", s}, {"rate", job.plan().schedule(s)}, {"parts", parts}}.dump() + "\n";
  }
  for (std::size_t i = 0; i < job.held.examples.size(); ++i)
    held += line(train::batch(job.held, {static_cast<Index>(i)}, 0)).dump() + "\n";
  formats::write_text(into + "/batches.jsonl", batches);
  formats::write_text(into + "/held.jsonl", held);
}

double median(std::vector<double> all) {
  if (all.empty()) return 0;
  std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2), all.end());
  return all[all.size() / 2];
}

}  // namespace

void dry_run(const Settings& settings) {
  Job job(settings);
  std::cout << described(job) << "\n" << described_data(job) << "\n";
  const std::unique_ptr<train::Optimizer> optimizer = job.optimizer();
  reset_peaks();
  const auto began = std::chrono::steady_clock::now();
  (void)job.gradients(0);
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  const auto again = std::chrono::steady_clock::now();  // the first step also fills caches
  if (seconds < 30)
    (void)job.gradients(0), seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - again).count();
  std::size_t moments = 0;
  for (const train::Group& group : optimizer->groups())
    for (const auto& named : group.parameters) moments += sizeof(real) * static_cast<std::size_t>(named.second->numel());
  moments *= settings.optimizer == "sgd" ? 1 : settings.optimizer == "adafactor" ? 0 : 2;
  std::cout << "memory: about " << short_bytes(static_cast<double>(ledger().total_peak + moments))
            << " of tensors at the peak of a step, measured on one, with the optimizer's "
            << short_bytes(static_cast<double>(moments)) << "\ntime: about "
            << short_time(seconds * static_cast<double>(job.steps())) << " for " << job.steps() << " steps of "
            << digits(seconds, 3) << " s, and looking at the held-out data\n";
  if (ledger()[Category::mapped] > 0) std::cout << "(the model's packed blocks stay in its file and are counted as well)\n";
}

void run_tune(const Settings& settings, const json& options, const Globals& globals) {
  const Folder folder(settings.out);
  const bool resumed = !settings.resume.empty();
  if (!resumed && settings.force && folder.begun()) folder.clear();
  expect<ValueError>(resumed || !folder.begun(), "--out: ", settings.out, " holds a run already; --resume ", settings.out,
                     " goes on with it, --force replaces it");
  bool foreign = false;
  for (const auto& entry : fs::directory_iterator(settings.out)) foreign = foreign || entry.path().filename() != ".lock";
  expect<ValueError>(resumed || !foreign, "--out: ", settings.out, " is not empty, and what it holds is no run of graft tune; ",
                     "name another folder");
  expect<FileError>(!resumed || folder.begun(), "--resume: ", settings.out, " holds no run");

  const CatchSignals signals{SIGINT, SIGTERM, SIGHUP};
  Job job(settings);
  if (resumed) {
    const json before = json::parse(formats::read_text(folder.file("run.json")), nullptr, false);
    const int then = before.value("threads", threads());
    if (then != threads())
      std::cerr << "graft: the run began with " << then << " threads and goes on with " << threads()
                << "; its numbers will differ in the last digits. --threads " << then << " continues it bit for bit"
                << std::endl;
  } else {
    write_json(folder.file("run.json"), {{"graft", GRAFT_VERSION}, {"threads", threads()}, {"options", options}});
  }

  train::Progress progress;
  const std::unique_ptr<train::Optimizer> optimizer = job.optimizer();
  const train::NamedParams learning = peft::learning(job.host());
  const bool to_go_on = resumed && folder.has("checkpoint.safetensors");
  if (to_go_on) {
    train::Checkpoint checkpoint = train::load_checkpoint(learning, folder.file("checkpoint.safetensors"));
    progress = train::Progress::from(checkpoint.facts);
    optimizer->load(checkpoint.optimizer);
    job.rng = checkpoint.rng;
  }
  Log log(settings.out, progress.step);
  Progress live("", job.steps(), globals.quiet, progress.step);
  live.say(described(job));
  live.say(described_data(job) + (to_go_on ? text(", from step ", progress.step) : ""));

  if (settings.trace && progress.step == 0) write_trace(job, folder, learning);

  // What the base says without the method is asked before anything is learned.
  const bool can_answer_untuned =
      !job.held.examples.empty() && (job.verbalizer || job.data.kind != train::Dataset::Kind::labelled);
  if (!folder.has("before.json"))
    write_json(folder.file("before.json"), can_answer_untuned ? score(job, job.answer(settings.score, false)) : json::object());

  const train::Plan plan = job.plan();
  reset_peaks();
  train::Hooks hooks;
  std::string held_out;
  const double tokens = static_cast<double>(job.data.tokens()) / static_cast<double>(job.data.examples.size()) *
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
    train::save_checkpoint(learning, optimizer->state(), job.rng, folder.file("checkpoint.safetensors"), p.facts());
    folder.keep_best(p.best_step);
  };
  hooks.stop = [] { return CatchSignals::caught() != 0; };
  const train::End end = train::run(job, *optimizer, plan, progress, hooks);
  if (end == train::End::stopped) {
    live.say(text("stopped after step ", progress.step, "; graft tune --resume ", settings.out, " goes on"));
    throw Interrupted{CatchSignals::caught()};
  }
  if (end == train::End::patience)
    live.say(text("nothing better in ", plan.patience, " looks; ended after step ", progress.step));
  const json used = peak();
  if (progress.best_step >= 0 && progress.best_step != progress.step) {
    (void)train::load_checkpoint(learning, folder.file(Folder::best(progress.best_step)));
    live.say(text("the parameters of step ", progress.best_step, " are kept, the best on held-out data"));
  }
  const std::uintmax_t bytes = save_result(job, folder);
  if (job.classes()) save_classes({job.data.labels, job.words}, folder.path());

  const MethodKind& kind = method_kind(settings.method.name);
  const json before = json::parse(formats::read_text(folder.file("before.json")), nullptr, false);
  Index trainable = 0;
  for (const auto& named : learning) trainable += named.second->numel();
  std::vector<double> seconds;
  for (const json& line : log.lines())
    if (line.contains("seconds")) seconds.push_back(line["seconds"]);
  json result{{"id", settings.method.name},
              {"method", kind.title},
              {"page", kind.page},
              {"trainable", trainable},
              {"share", static_cast<double>(trainable) / static_cast<double>(job.loaded.root->count(false))},
              {"seconds_per_step", median(seconds)},
              {"steps", progress.step},
              {"seed", settings.seed},
              {"peak", used},
              {"adapter_bytes", bytes},
              {"kind", name(job.data.kind)},
              {"labels", job.data.labels},
              {"curve", curve(log.lines(), "loss")},
              {"evaluations", curve(log.lines(), "held_out_loss")}};
  const Index all = job.loaded.root->count(false);
  result["base"] = {{"name", job.loaded.model->kind()},
                    {"parameters", job.chosen.attached[0].method->in_place() ? all : all - trainable},
                    {"context", job.loaded.model->context()},
                    {"vocabulary", job.loaded.model->vocabulary()}};
  if (progress.best_step >= 0) {
    const Answers answers = job.answer(settings.score, true);
    result.update(score(job, answers));
    result["held_out_loss"] = progress.best;
    result["untuned"] = before.value("score", json());
    result["samples"] = samples(job, answers, before, settings.samples);
    if (job.chosen.ensemble() && job.classes()) result["votes"] = votes(job, answers, settings.samples);
  }
  if (!job.chosen.attached[0].method->in_place()) {
    const auto [with, without] = job.inference();
    result["inference_extra"] = without > 0 ? with / without - 1 : 0;
  }
  result.update(insight(job));
  write_json(folder.file("result.json"), result);
  if (!globals.quiet) {
    std::cout << summary(result);
    std::cout << "in " << settings.out << "\n";
  }
}

}  // namespace graft::cli
