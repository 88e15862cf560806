#include "cli/demo/size.h"

#include <algorithm>
#include <chrono>

#include "autograd/errors.h"
#include "autograd/threads.h"
#include "nn/model.h"

namespace graft::cli {

constexpr Index sentence = 45;  // tokens of a row, on average

Gpt2Config DemoSize::config() const {
  Gpt2Config c;
  c.context = 128, c.dim = dim, c.layers = layers, c.heads = heads;
  return c;
}

namespace {

DemoSize large() {
  DemoSize s;
  s.name = "large";
  s.layers = 4, s.dim = 128, s.heads = 4;
  s.base_steps = 1800, s.base_batch = 32;
  s.most_virtual = 40;
  s.share = 1, s.rate = 1;
  s.base_passes = 2000, s.method_passes = 4600;
  return s;
}

DemoSize medium() {
  DemoSize s;
  s.name = "medium";
  s.layers = 3, s.dim = 96, s.heads = 4;
  s.base_steps = 1200, s.base_batch = 32;
  s.most_virtual = 20;
  s.share = 0.7, s.rate = 1.5;
  s.base_passes = 1000, s.method_passes = 1900;
  return s;
}

DemoSize small() {
  DemoSize s;
  s.name = "small";
  s.layers = 2, s.dim = 96, s.heads = 4;
  s.base_steps = 700, s.base_batch = 32;
  s.most_virtual = 10;
  s.share = 0.6, s.rate = 1.5;
  s.base_passes = 580, s.method_passes = 1050;
  return s;
}

}  // namespace

// The passes are estimates: the seconds of whole demos on two cores, not always idle, divided by those of one pass there.
const std::vector<DemoSize>& demo_sizes() {
  static const std::vector<DemoSize> all{large(), medium(), small()};
  return all;
}

const DemoSize& demo_size(const std::string& name) {
  std::string names;
  for (const DemoSize& size : demo_sizes()) {
    if (size.name == name) return size;
    names += (names.empty() ? "" : ", ") + size.name;
  }
  throw ValueError("the demo has no size \"" + name + "\"; sizes are " + names);
}

namespace {

double seconds_of_a_pass(Gpt2& model, int count) {
  constexpr Index rows = 32;
  std::vector<Id> ids(static_cast<std::size_t>(rows * sentence));
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<Id>(i * 7 % demo_vocabulary);
  const Ids words({rows, sentence}, std::move(ids));
  const int usual = threads();
  threads(count);
  const auto pass = [&] {
    const auto began = std::chrono::steady_clock::now();
    language_loss(model, words, words).backward();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  };
  (void)pass();  // the first one also requests memory from the system
  std::vector<double> times;
  for (double spent = 0; times.size() < 5 && (times.size() < 2 || spent < 0.5); spent += times.back()) times.push_back(pass());
  threads(usual);
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

}  // namespace

DemoPace DemoPace::measured() {
  Gpt2Config c = demo_sizes().front().config();
  c.vocabulary = demo_vocabulary;
  Gpt2 model(c);
  Rng rng(1);
  model.initialize(rng);
  DemoPace pace;
  pace.all_threads = seconds_of_a_pass(model, threads());
  pace.one_thread = threads() == 1 ? pace.all_threads : seconds_of_a_pass(model, 1);
  return pace;
}

double DemoPace::seconds(const DemoSize& size, int seeds, int jobs, bool base_there) const {
  return (base_there ? 0 : size.base_passes * all_threads) + size.method_passes * one_thread * seeds / jobs;
}

}  // namespace graft::cli
