#include "cli/tune/training.h"

#include <algorithm>

#include "train/adafactor.h"
#include "train/paged.h"

namespace graft::cli {

std::unique_ptr<train::Optimizer> optimizer(const Job& job) {
  const Settings& s = job.settings;
  std::vector<train::Group> parameters = tune::groups(job.host(), job.chosen);
  if (s.optimizer == "sgd") {
    auto sgd = std::make_unique<train::Sgd>(std::move(parameters));
    sgd->decay = static_cast<real>(s.decay), sgd->momentum = real(0.9);
    return sgd;
  }
  if (s.optimizer == "adafactor") {
    auto adafactor = std::make_unique<train::Adafactor>(std::move(parameters));
    adafactor->decay = static_cast<real>(s.decay);
    return adafactor;
  }
  std::unique_ptr<train::AdamW> adam;
  if (s.optimizer == "paged-adamw") {
    train::PagedOptions paged;
    paged.budget = static_cast<std::size_t>(s.budget * 1048576);
    adam = std::make_unique<train::PagedAdamW>(std::move(parameters), paged);
  } else {
    adam = std::make_unique<train::AdamW>(std::move(parameters));
  }
  adam->decay = static_cast<real>(s.decay);
  return adam;
}

train::Plan plan(const Job& job) {
  const Settings& s = job.settings;
  const Index steps = job.steps(), tenth = std::max<Index>(1, steps / 10);
  train::Plan plan;
  plan.schedule.steps = steps;
  plan.schedule.rate = s.rate > 0 ? s.rate : tune::method_kind(s.method.name).rate;
  plan.schedule.warmup = train::warmup_steps(s.warmup, steps);
  plan.schedule.shape = s.schedule == "cosine"   ? train::Schedule::Shape::cosine
                        : s.schedule == "linear" ? train::Schedule::Shape::linear
                                                 : train::Schedule::Shape::constant;
  plan.clip = s.clip;
  if (!job.held().examples.empty()) plan.evaluate_every = s.evaluate_every > 0 ? s.evaluate_every : tenth;
  plan.patience = s.patience;
  plan.save_every = s.save_every > 0 ? s.save_every : tenth;
  return plan;
}

}  // namespace graft::cli
