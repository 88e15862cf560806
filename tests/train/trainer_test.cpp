// The training loop on a problem whose answer is known: w is pulled towards noisy targets. What is checked is the loop: the best is
// kept, patience ends it, a loss that is not a number or climbs stops it, and a training in two parts is the same as one.
#include "train/trainer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/ops.h"
#include "tests/formats/scratch_folder.h"
#include "train/checkpoint.h"

namespace graft::train {
namespace {

struct Holder : Module {
  Param w{*this, "w", Shape{3}};
  Holder() { w.set(Tensor(Shape{3}, {1, -2, 3})); }
  std::string kind() const override { return "Holder"; }
};

/// loss = mean (w - noise)², noise from rng: so a resumed run needs the random numbers too.
struct Pull : Task {
  Holder holder;
  Rng rng{5};
  std::vector<double> held;  // what validate() says, one after another
  std::size_t asked = 0;
  std::function<double(Index)> distort = [](Index) { return 1.0; };

  double gradients(Index step) override {
    const Variable difference = holder.w - Variable(normal({3}, 0, real(0.5), rng));
    const Variable loss = static_cast<real>(distort(step)) * mean(difference * difference);
    loss.backward();
    return static_cast<double>(loss.item());
  }
  double clip(double largest) override {
    return clip_gradients(parameters(), largest > 0 ? largest : std::numeric_limits<double>::infinity());
  }
  double validate() override { return held.at(asked++); }
  std::string batch(Index step) const override { return "batch " + std::to_string(step); }
  NamedParams parameters() { return holder.parameters(); }
};

Plan plan_of(Index steps) {
  Plan plan;
  plan.schedule.steps = steps, plan.schedule.rate = 0.05, plan.schedule.curve = Schedule::Curve::constant;
  return plan;
}

TEST(Trainer, GoesThroughAllStepsAndTellsEach) {
  Pull task;
  AdamW adam(task.parameters());
  TrainingState progress;
  std::vector<Index> steps;
  Hooks hooks;
  hooks.on_step = [&](const Hooks::Step& s) { steps.push_back(s.step); };
  EXPECT_EQ(run(task, adam, plan_of(5), progress, hooks), End::steps);
  EXPECT_EQ(steps, (std::vector<Index>{1, 2, 3, 4, 5}));
  EXPECT_EQ(adam.steps(), 5);
}

TEST(Trainer, KeepsTheBestAndEndsWhenPatienceDoes) {
  Pull task;
  task.held = {3, 2, 2.5, 2.1, 1};
  AdamW adam(task.parameters());
  Plan plan = plan_of(100);
  plan.evaluate_every = 10, plan.patience = 2;
  TrainingState progress;
  std::vector<bool> best;
  Index saved = 0;
  Hooks hooks;
  hooks.on_evaluation = [&](const TrainingState&, double, bool b) { best.push_back(b); };
  hooks.save = [&](const TrainingState& p) { saved = p.step; };
  EXPECT_EQ(run(task, adam, plan, progress, hooks), End::patience);
  EXPECT_EQ(best, (std::vector<bool>{true, true, false, false}));
  EXPECT_EQ(progress.best, 2);
  EXPECT_EQ(progress.best_step, 20);
  EXPECT_EQ(saved, 40);
  EXPECT_EQ(run(task, adam, plan, progress, hooks), End::patience);  // resumed, it is still over
  EXPECT_EQ(progress.step, 40);
}

TEST(Trainer, InTwoPartsItIsTheSameTraining) {
  formats::ScratchFolder scratch;
  const std::string file = scratch.path("checkpoint.safetensors");
  Pull whole;
  AdamW one(whole.parameters());
  TrainingState all;
  run(whole, one, plan_of(20), all, {});

  {
    Pull first;
    AdamW adam(first.parameters());
    TrainingState progress;
    Hooks hooks;
    hooks.stop = [&] { return progress.step == 7; };
    hooks.save = [&](const TrainingState& p) { save_checkpoint(first.parameters(), adam.state(), first.rng, file, p.metadata()); };
    EXPECT_EQ(run(first, adam, plan_of(20), progress, hooks), End::stopped);
  }
  Pull second;
  AdamW adam(second.parameters());
  const Checkpoint checkpoint = load_checkpoint(second.parameters(), file);
  adam.load(checkpoint.optimizer), second.rng = checkpoint.rng;
  TrainingState progress = TrainingState::from(checkpoint.metadata);
  EXPECT_EQ(progress.step, 7);
  run(second, adam, plan_of(20), progress, {});
  if (sizeof(real) == sizeof(float)) {  // files hold F32
    EXPECT_EQ(second.holder.w.value().values(), whole.holder.w.value().values());
  }
  EXPECT_EQ(progress.metadata().at("step"), all.metadata().at("step"));
}

TEST(Trainer, AnOddLossStopsItAndSaysWhere) {
  Pull task;
  task.distort = [](Index step) { return step == 3 ? std::nan("") : 1.0; };
  AdamW adam(task.parameters());
  TrainingState progress;
  bool saved = false;
  Hooks hooks;
  hooks.save = [&](const TrainingState&) { saved = true; };
  std::vector<real> before;
  hooks.on_step = [&](const Hooks::Step&) { before = task.holder.w.value().values(); };
  try {
    run(task, adam, plan_of(10), progress, hooks);
    FAIL() << "no error";
  } catch (const ValueError& e) {
    EXPECT_NE(std::string(e.what()).find("step 4 (batch 3)"), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find("learning rate of 0.05"), std::string::npos) << e.what();
  }
  EXPECT_FALSE(saved);
  EXPECT_EQ(task.holder.w.value().values(), before);
  EXPECT_EQ(progress.step, 3);
}

TEST(Trainer, ALossThatClimbsAndStaysUpIsSaidToDiverge) {
  Pull task;
  task.distort = [](Index step) { return step < 12 ? 1.0 : 1000.0; };
  Sgd sgd(task.parameters());
  Plan plan = plan_of(100);
  plan.schedule.rate = 1e-9;
  TrainingState progress;
  try {
    run(task, sgd, plan, progress, {});
    FAIL() << "no error";
  } catch (const ValueError& e) { EXPECT_NE(std::string(e.what()).find("diverges"), std::string::npos) << e.what(); }
  EXPECT_EQ(progress.step, 31);  // 12 good ones, and 19 of the 20 that are too many
}

TEST(Checkpoint, CountsThatAreNoneAreRefused) {
  TrainingState p;
  p.step = 7;
  const std::map<std::string, std::string> good = p.metadata();
  EXPECT_EQ(TrainingState::from(good).step, 7);
  for (const char* key : {"step", "best_step", "worse", "above"})
    for (const char* wrong : {"1e300", "-1e300", "nan", "inf", "-2", "0.5", "1e16", "x", ""}) {
      auto metadata = good;
      metadata[key] = wrong;
      EXPECT_THROW(TrainingState::from(metadata), FormatError) << key << " = " << wrong;
    }
}

TEST(Checkpoint, OfAnotherTrainingIsRefusedAndChangesNothing) {
  formats::ScratchFolder scratch;
  const std::string file = scratch.path("checkpoint.safetensors");
  Pull task;
  save_checkpoint(task.parameters(), {}, task.rng, file);
  struct Other : Module {
    Param w{*this, "w", Shape{4}};
    Other() { w.set(Tensor(Shape{4}, 1)); }
    std::string kind() const override { return "Other"; }
  } other;
  EXPECT_THROW(load_checkpoint(other.parameters(), file), FormatError);
  EXPECT_EQ(other.w.value().values(), std::vector<real>(4, 1));
  EXPECT_THROW(save_checkpoint({}, {}, task.rng, file), ValueError);
  EXPECT_THROW(load_checkpoint(task.parameters(), scratch.path("none")), FileError);
}

}  // namespace
}  // namespace graft::train
