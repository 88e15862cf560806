#include "cli/demo/size.h"

#include <algorithm>
#include <chrono>

#include "autograd/errors.h"
#include "autograd/threads.h"
#include "nn/model.h"

namespace graft::cli {

constexpr Index vocabulary = 640, sentence = 45;  // tokens of a row, on average

Gpt2Config DemoSize::config() const {
  Gpt2Config c;
  c.context = 128, c.dim = dim, c.layers = layers, c.heads = heads;
  return c;
}

// The costs are seconds of whole demos divided by those of a pass, on two cores.
const std::vector<DemoSize>& demo_sizes() {
  static const std::vector<DemoSize> all{{"large", 4, 128, 4, 1800, 32, 40, 1, 1, 2000, 4600},
                                         {"medium", 3, 96, 4, 1200, 32, 20, 0.7, 1.5, 1000, 1900},
                                         {"small", 2, 96, 4, 700, 32, 10, 0.6, 1.5, 580, 1050}};
  return all;
}

const DemoSize& demo_size(const std::string& name) {
  std::string names;
  for (const DemoSize& size : demo_sizes()) {
    if (size.name == name) return size;
    names += (names.empty() ? "" : ", ") + size.name;
  }
  throw ValueError("there is no size \"" + name + "\" of the demo, but " + names);
}

namespace {

double seconds_of_a_pass(Gpt2& model, int count) {
  constexpr Index rows = 32;
  std::vector<Id> ids(static_cast<std::size_t>(rows * sentence));
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<Id>(i * 7 % vocabulary);
  const Ids words({rows, sentence}, std::move(ids));
  const int usual = threads();
  threads(count);
  const auto pass = [&] {
    const auto began = std::chrono::steady_clock::now();
    language_loss(model, words, words).backward();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  };
  (void)pass();  // the first also gets memory from the system
  std::vector<double> times;
  for (double spent = 0; times.size() < 5 && (times.size() < 2 || spent < 0.5); spent += times.back()) times.push_back(pass());
  threads(usual);
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

}  // namespace

DemoPace DemoPace::measured() {
  Gpt2Config c = demo_sizes().front().config();
  c.vocabulary = vocabulary;
  Gpt2 model(c);
  Rng rng(1);
  model.initialize(rng);
  DemoPace pace;
  pace.all_threads = seconds_of_a_pass(model, threads());
  pace.one_thread = threads() == 1 ? pace.all_threads : seconds_of_a_pass(model, 1);
  return pace;
}

double DemoPace::seconds(const DemoSize& size, int seeds, int jobs, bool base_there) const {
  return (base_there ? 0 : size.base * all_threads) + size.methods * one_thread * seeds / jobs;
}

}  // namespace graft::cli
