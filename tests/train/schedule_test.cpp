// Learning rates against transformers' (tests/fixtures/schedules.json, made by make_schedules.py).
#include "tests/here.h"
#include "train/schedule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "autograd/errors.h"

namespace graft::train {
namespace {

TEST(Schedule, RatesAreThoseOfTransformers) {
  std::ifstream in(here::fixtures() + "/schedules.json");
  const nlohmann::json cases = nlohmann::json::parse(in);
  ASSERT_EQ(cases.size(), 12u);
  for (const auto& one : cases) {
    Schedule schedule;
    schedule.rate = 0.3, schedule.steps = one["steps"], schedule.warmup = one["warmup"];
    schedule.curve = one["shape"] == "constant" ? Schedule::Curve::constant
                     : one["shape"] == "linear" ? Schedule::Curve::linear
                                                : Schedule::Curve::cosine;
    for (std::size_t s = 0; s < one["rates"].size(); ++s)
      EXPECT_NEAR(schedule(static_cast<Index>(s)), one["rates"][s].get<double>(), 1e-15) << one["shape"] << " step " << s;
  }
}

TEST(Schedule, AShareOfWarmUpIsThatOfTransformers) {
  std::ifstream in(here::fixtures() + "/warmups.json");
  const nlohmann::json cases = nlohmann::json::parse(in);
  ASSERT_GT(cases.size(), 20u);
  for (const auto& one : cases)
    EXPECT_EQ(warmup_steps(one["warmup"], one["steps"]), one["is"].get<Index>()) << one["warmup"] << " of " << one["steps"];
  EXPECT_EQ(warmup_steps(1e9, 40), 40);  // where transformers leaves more steps of warm-up than there are of training
  EXPECT_THROW(warmup_steps(-1, 40), ValueError);
  EXPECT_THROW(warmup_steps(std::nan(""), 40), ValueError);
}

TEST(Schedule, RefusesWhatMeansNothing) {
  Schedule schedule;
  schedule.warmup = schedule.steps + 1;
  EXPECT_THROW(schedule(0), ValueError);
  schedule.warmup = 0, schedule.rate = -1;
  EXPECT_THROW(schedule(0), ValueError);
}

}  // namespace
}  // namespace graft::train
