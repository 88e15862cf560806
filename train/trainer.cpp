#include "train/trainer.h"

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace graft::train {
namespace {

constexpr Index start = 10, too_long = 20;  // steps that define the initial loss; how many steps far above it are too many

std::string exact(double x) {  // hexadecimal: every bit survives
  char digits[40];
  std::snprintf(digits, sizeof digits, "%a", x);
  return digits;
}

void expect_sound(const Task& task, Index step, double loss, double norm, double rate, double best, Index best_step) {
  if (std::isfinite(loss) && std::isfinite(norm)) return;
  throw ValueError(text("step ", step + 1, " (", task.batch(step), "): the ", std::isfinite(loss) ? "gradient" : "loss",
                        " is not a finite number (", std::isfinite(loss) ? norm : loss, ") at a learning rate of ", rate,
                        "; a smaller rate, a longer warm-up or clipping may help",
                        best_step >= 0 ? text(". The best so far, ", best, " after step ", best_step, ", is kept") : ""));
}

/// The initial loss, and whether the loss has been far above it for long.
void watch(TrainingState& progress, const Task& task, double loss, double rate) {
  const Index step = progress.step;
  if (step < start) {
    progress.first += (loss - progress.first) / static_cast<double>(step + 1);
    return;
  }
  progress.above = loss > 2 * progress.first && loss > progress.first + 1 ? progress.above + 1 : 0;
  expect<ValueError>(progress.above < too_long, "step ", step + 1, " (", task.batch(step), "): the loss began at ",
                     progress.first, " and has been far above it for ", too_long, " steps, now ", loss,
                     ": it diverges. The learning rate is ", rate, "; take a third of it, or a longer warm-up");
}

}  // namespace

std::map<std::string, std::string> TrainingState::metadata() const {
  return {{"step", std::to_string(step)},   {"best", exact(best)},   {"best_step", std::to_string(best_step)},
          {"worse", std::to_string(worse)}, {"first", exact(first)}, {"above", std::to_string(above)}};
}

TrainingState TrainingState::from(const std::map<std::string, std::string>& metadata) {
  const auto number = [&](const char* key) {
    const auto found = metadata.find(key);
    char* end = nullptr;
    const double x = found == metadata.end() ? 0 : std::strtod(found->second.c_str(), &end);
    expect<FormatError>(end != nullptr && end != found->second.c_str() && *end == '\0', "checkpoint: \"", key,
                        "\" is missing or not a number");
    return x;
  };
  const auto count = [&](const char* key) {
    const double x = number(key);
    expect<FormatError>(x >= -1 && x <= 9e15 && x == std::floor(x), "checkpoint: \"", key, "\" is ", x, ", not a count");
    return static_cast<Index>(x);
  };
  TrainingState p;
  p.step = count("step"), p.best = number("best"), p.best_step = count("best_step");
  p.worse = count("worse"), p.first = number("first"), p.above = count("above");
  expect<FormatError>(p.step >= 0 && p.best_step <= p.step, "checkpoint: step ", p.step, ", best after step ", p.best_step);
  return p;
}

End run(Task& task, Optimizer& optimizer, const Plan& plan, TrainingState& progress, const Hooks& hooks) {
  const auto validate = [&] {
    const double loss = task.validate();
    const bool best = loss < progress.best;
    if (best) progress.best = loss, progress.best_step = progress.step, progress.worse = 0;
    else ++progress.worse;
    if (hooks.on_evaluation) hooks.on_evaluation(progress, loss, best);
  };
  const auto save = [&] {
    if (hooks.save) hooks.save(progress);
  };
  while (progress.step < plan.schedule.steps) {
    if (plan.patience > 0 && progress.worse >= plan.patience) return End::patience;
    const auto began = std::chrono::steady_clock::now();
    const Index s = progress.step;
    const double rate = plan.schedule(s);
    optimizer.clear_gradients();
    const double loss = task.gradients(s);
    const double norm = task.clip(plan.clip);
    expect_sound(task, s, loss, norm, rate, progress.best, progress.best_step);
    watch(progress, task, loss, rate);
    optimizer.step(static_cast<real>(rate));
    optimizer.clear_gradients();
    ++progress.step;
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    if (hooks.on_step) hooks.on_step({progress.step, loss, norm, rate, seconds});

    const bool last = progress.step == plan.schedule.steps;
    if (plan.evaluate_every > 0 && (last || progress.step % plan.evaluate_every == 0)) validate();
    const bool over = last || (plan.patience > 0 && progress.worse >= plan.patience);
    const bool stopped = !over && hooks.stop && hooks.stop();
    if (over || stopped) save();
    if (stopped) return End::stopped;
    if (plan.save_every > 0 && !over && progress.step % plan.save_every == 0) save();
  }
  return End::steps;
}

TrainingState run(Task& task, Optimizer& optimizer, const Plan& plan, const Hooks& hooks) {
  TrainingState progress;
  run(task, optimizer, plan, progress, hooks);
  return progress;
}

}  // namespace graft::train
