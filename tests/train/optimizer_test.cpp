// Optimizers against torch.optim (tests/fixtures/optimizers.safetensors), and the paged one against the plain.
#include "autograd/sizes.h"
#include "tests/here.h"
#include "train/optimizer.h"

#include <gtest/gtest.h>
#include <sys/statvfs.h>

#include <functional>
#include <limits>

#include "autograd/rng.h"
#include "nn/gpt2.h"
#include "tests/formats/scratch_folder.h"
#include "tests/nn/fixture.h"
#include "train/adafactor.h"
#include "train/paged.h"

namespace graft {
namespace {

struct Two : Module {
  Param a{*this, "a", {3, 4}}, b{*this, "b", Shape{5}};
  std::string kind() const override { return "Two"; }
};

const fixture::RawFile& reference() {
  static const fixture::RawFile file = fixture::read_raw(here::fixtures() + "/optimizers.safetensors");
  return file;
}
Tensor tensor(const std::string& key) {
  const fixture::Raw& raw = reference().at(key);
  const fixture::Numbers v = raw.numbers();
  return Tensor(raw.shape.size() == 2 ? Shape{raw.shape[0], raw.shape[1]} : Shape{raw.shape[0]},
                std::vector<real>(v.begin(), v.end()));
}
void start(const Two& two) {
  for (const auto& p : two.parameters()) p.second->set(tensor("start." + p.first));
}
void set_gradients(const Two& two, int t) {
  for (const auto& p : two.parameters()) {
    Variable v = p.second->own();
    v.set_grad(tensor(text("grad.", t, ".", p.first)));
  }
}

constexpr int steps = 8;
using Between = std::function<void(const Two&, int t)>;
void expect_trajectory(const std::string& name, const Two& two, train::Optimizer& optimizer, real rate,
                       const Between& clip = {}) {
  for (int t = 0; t < steps; ++t) {
    set_gradients(two, t);
    if (clip) clip(two, t);
    optimizer.step(rate);
    for (const auto& p : two.parameters()) {
      const std::string key = text(name, ".", t, ".", p.first);
      EXPECT_LE(fixture::apart(table::numbers(p.second->value()), reference().at(key).numbers()), 1e-6) << key;
    }
  }
}

TEST(Optimizer, Adafactor) {
  Two two, plain;
  start(two), start(plain);
  train::Adafactor decaying(two.parameters());
  decaying.decay = real(0.1);
  expect_trajectory("adafactor", two, decaying, real(0.05));
  train::Adafactor other(plain.parameters());
  other.clip = real(0.5);
  expect_trajectory("adafactor_plain", plain, other, real(0.3));

  Two again;  // of the matrix it keeps a number per row and per column
  start(again);
  train::Adafactor next(again.parameters());
  EXPECT_EQ(decaying.state().at("a.exp_avg_sq_row").shape(), Shape{3});
  EXPECT_EQ(decaying.state().at("a.exp_avg_sq_col").shape(), Shape{4});
  next.load(decaying.state());
  for (const auto& p : again.parameters()) p.second->set(two.parameter(p.first).value().clone());
  set_gradients(two, 0), set_gradients(again, 0);
  decaying.step(real(0.05)), next.decay = real(0.1), next.step(real(0.05));
  for (const auto& p : again.parameters()) EXPECT_EQ(p.second->value().values(), two.parameter(p.first).value().values());
}

TEST(Optimizer, AdamW) {
  Two two;
  start(two);
  train::AdamW adam(two.parameters());
  adam.decay = real(0.1);
  expect_trajectory("adamw", two, adam, real(0.05));
  Two plain;
  start(plain);
  train::AdamW other(plain.parameters());
  other.decay = 0, other.beta1 = real(0.8), other.beta2 = real(0.95), other.eps = real(1e-3);
  expect_trajectory("adamw_plain", plain, other, real(0.05));
}

TEST(Optimizer, Groups) {
  Two two;
  start(two);
  const auto p = two.parameters();
  train::AdamW adam(std::vector<train::Group>{{{p[0]}, 1, true}, {{p[1]}, 4, false}});
  adam.decay = real(0.1);
  expect_trajectory("adamw_groups", two, adam, real(0.01));
}

TEST(Optimizer, Clipping) {
  Two two;
  start(two);
  train::AdamW adam(two.parameters());
  adam.decay = real(0.1);
  const fixture::Numbers norms = reference().at("clip.norm").numbers();
  expect_trajectory("clip", two, adam, real(0.05), [&](const Two& t, int i) {
    EXPECT_NEAR(train::clip_gradients(t.parameters(), 1.5), nth(norms, i), 1e-4);
  });
  EXPECT_THROW(train::clip_gradients(two.parameters(), 0), ValueError);
}

TEST(Optimizer, Sgd) {
  Two plain, momentum;
  start(plain), start(momentum);
  train::Sgd sgd(plain.parameters()), other(momentum.parameters());
  expect_trajectory("sgd", plain, sgd, real(0.05));
  other.momentum = real(0.9), other.decay = real(0.1);
  expect_trajectory("momentum", momentum, other, real(0.05));
}

TEST(Optimizer, StepsThatAreNoCountAreRefused) {
  Two two;
  start(two);
  train::AdamW adam(two.parameters());
  auto state = adam.state();
  for (const real wrong : {real(-1), real(1e30), real(0.5), std::numeric_limits<real>::quiet_NaN(), real(1 << 24)})
    for (const Index half : {0, 1}) {
      Tensor steps(Shape{2}, {0, 0});
      steps.write()[half] = wrong;
      state["steps"] = steps;
      EXPECT_THROW(adam.load(state), ValueError) << wrong;
    }
  state["steps"] = Tensor(Shape{2}, {1, 2});
  adam.load(state);
  EXPECT_EQ(adam.steps(), (Index(1) << 24) + 2);
}

TEST(Optimizer, StateGoesOnWhereItStopped) {
  for (const bool paged : {false, true}) {
    Two two;
    start(two);
    const auto make = [&]() -> std::unique_ptr<train::AdamW> {
      if (paged) return std::make_unique<train::PagedAdamW>(two.parameters());
      return std::make_unique<train::AdamW>(two.parameters());
    };
    auto adam = make();
    adam->decay = real(0.1);
    for (int t = 0; t < steps; ++t) {
      set_gradients(two, t);
      adam->step(real(0.05));
      auto next = make();  // another object takes over after every step
      next->decay = real(0.1);
      next->load(adam->state());
      adam = std::move(next);
      EXPECT_EQ(adam->steps(), t + 1);
    }
    for (const auto& p : two.parameters())
      EXPECT_LE(fixture::apart(table::numbers(p.second->value()), reference().at(text("adamw.7.", p.first)).numbers()), 1e-6);
    auto state = adam->state();
    state["c.exp_avg"] = Tensor(Shape{2}, 0);
    EXPECT_THROW(adam->load(state), ValueError);
    state = adam->state();
    state["a.exp_avg"] = Tensor(Shape{2}, 0);
    EXPECT_THROW(adam->load(state), ValueError);
    state.erase("steps");
    EXPECT_THROW(adam->load(state), ValueError);
  }
}

TEST(Optimizer, NumbersThatWereNotGivenAreNamedByTheirPath) {
  Gpt2Config c;
  c.vocabulary = 11, c.context = 8, c.dim = 4, c.layers = 1, c.heads = 2;
  const Gpt2 gpt2(c);
  train::AdamW adam(gpt2.parameters());
  for (const bool clipping : {false, true}) {
    std::string said;
    try {
      if (clipping) train::clip_gradients(gpt2.parameters(), 1);
      else adam.step(1);
    } catch (const ValueError& e) { said = e.what(); }
    EXPECT_NE(said.find("parameter embed.weight [11, 4] has no numbers yet"), std::string::npos) << said;
  }
}

TEST(Optimizer, Refuses) {
  Two two;
  start(two);
  two.a.learn(false);
  EXPECT_THROW(train::AdamW(two.parameters()), ValueError);
  two.a.learn(true);
  auto twice = two.parameters();
  twice.push_back(twice[0]);
  EXPECT_THROW(train::AdamW{twice}, ValueError);
  train::AdamW adam(two.parameters());
  const auto before = two.a.value().values();
  EXPECT_THROW(adam.step(1), ValueError) << "there are no gradients";
  set_gradients(two, 1);
  for (const real rate : {-real(1), std::numeric_limits<real>::quiet_NaN(), std::numeric_limits<real>::infinity()})
    EXPECT_THROW(adam.step(rate), ValueError) << rate;
  EXPECT_EQ(adam.steps(), 0);
  EXPECT_EQ(two.a.value().values(), before);
  EXPECT_THROW(train::AdamW(train::NamedParams{}), ValueError);
}

// --- pages -----------------------------------------------------------------------------------------------------------------

struct Large : Module {
  Param a{*this, "a", {700, 1000}}, b{*this, "b", Shape{300000}};
  std::string kind() const override { return "Large"; }
};

TEST(Paged, SameBitsWithinTheBudget) {
  Large one, two;
  Rng rng(1);
  for (const auto& p : one.parameters()) {
    const Tensor w = normal(p.second->shape(), 0, 1, rng);
    p.second->set(w.clone());
    two.parameter(p.first).set(w.clone());
  }
  train::AdamW plain(one.parameters());
  train::PagedOptions options;
  options.budget = 3 * train::Pages::piece;
  train::PagedAdamW paged(two.parameters(), options);
  for (int t = 0; t < 3; ++t) {
    for (const auto& p : one.parameters()) {
      const Tensor g = normal(p.second->shape(), 0, 1, rng);
      Variable first = p.second->own(), second = two.parameter(p.first).own();
      first.set_grad(g), second.set_grad(g.clone());
    }
    plain.step(real(0.01));
    paged.step(real(0.01));
    for (const auto& p : one.parameters()) ASSERT_EQ(two.parameter(p.first).value().values(), p.second->value().values()) << t;
  }
  const train::Pages::Usage l = paged.pages();
  EXPECT_GE(l.total, 2 * 1000000 * sizeof(real));
  EXPECT_LE(l.in_use, l.budget);
  EXPECT_GE(l.written_back, 2 * l.total - l.budget) << "every page came and went";
  EXPECT_EQ(l.brought_in, l.written_back + l.in_use);
  std::printf("    %zu of %zu bytes resident, budget %zu\n", l.resident, l.total, l.budget);
}

TEST(Paged, ANoRoomOnTheDiskIsSaidBeforeAnythingHappens) {
  const formats::ScratchFolder scratch;
  struct statvfs disk {};
  ASSERT_EQ(statvfs(scratch.path().c_str(), &disk), 0);
  const std::size_t all = static_cast<std::size_t>(disk.f_blocks) * disk.f_frsize;
  EXPECT_THROW(train::Pages(scratch.path(), all + (std::size_t(1) << 40), std::size_t(1) << 24), FileError);
  EXPECT_THROW(train::Pages(scratch.path("no such folder"), 1, std::size_t(1) << 24), FileError);
  EXPECT_THROW(train::Pages(scratch.path(), 1, 1), ValueError);
  EXPECT_TRUE(scratch.names().empty());
}

}  // namespace
}  // namespace graft
