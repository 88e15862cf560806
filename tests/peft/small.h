// A GPT-2 that is small enough to be taught while a test runs, for the recipes in docs/methods. It learns four tasks, each by
// the word that names it: "word x" is to be followed by f(x), f one of four permutations of sixteen digits. Fine-tuning then
// gets x without a word: one of the four (`known`, which it only has to bring out) or a fifth (`unknown`, which it has to learn).
// The answer is read at x, the first token, which has one key: what q and k learn changes nothing here.
#pragma once
#include <graft.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

struct Small {
  using Index = graft::Index;
  enum Task { known = 2, unknown = 4 };
  static constexpr Index digits = 16, tasks = 4, longest = 14;
  static constexpr graft::Id first_word = 16, blank = 20, vocabulary = 21;

  struct OneThread {  // matrices as small as these are not worth waking a second one
    int before = graft::threads();
    OneThread() { graft::threads(1); }
    ~OneThread() { graft::threads(before); }
  } one_thread{};
  std::unique_ptr<graft::Gpt2> model = std::make_unique<graft::Gpt2>(config());

  enum Untaught { untaught };
  explicit Small(Untaught) {}  // its parameters have no numbers yet

  Small() {
    graft::Rng rng(1);
    model->initialize(rng);
    graft::train::AdamW optimizer(graft::peft::learning(*model));
    for (int step = 0; step < 500; ++step) {
      lesson(rng).backward();
      optimizer.step(graft::real(3e-3));
      optimizer.clear_gradients();
    }
  }

  static graft::Id f(int task, graft::Id x) {
    constexpr std::array<graft::Id, 5> a{1, 3, 5, 7, 11}, b{1, 2, 6, 11, 4};
    return (a.at(static_cast<std::size_t>(task)) * x + b.at(static_cast<std::size_t>(task))) % digits;
  }

  // Every x and its answer. For a language model: rows "x f(x)", of which only f(x) is scored.
  static graft::Ids ids(int task) { return pairs(task, false); }
  static graft::Ids labels(int task) { return pairs(task, true); }
  // For a classifier: rows "x" and their classes.
  static graft::Ids questions() {
    return {{digits, 1}, each([](graft::Id x) { return x; })};
  }
  static graft::Ids answers(int task) {
    return {{digits}, each([&](graft::Id x) { return f(task, x); })};
  }

  /// What it loses on the task now; guessing loses ln 16 = 2.77.
  double loss(int task) const {
    const graft::NoGrad no_grad;
    return static_cast<double>(graft::language_loss(*model, ids(task), labels(task)).item());
  }
  /// The recipe: AdamW without decay, a constant rate, every x in each step. Returns the loss after it.
  double train(int task, double rate, int steps) const {
    graft::train::AdamW optimizer(graft::peft::learning(*model));
    optimizer.decay = 0;
    for (int step = 0; step < steps; ++step) {
      graft::language_loss(*model, ids(task), labels(task)).backward();
      optimizer.step(static_cast<graft::real>(rate));
      optimizer.clear_gradients();
    }
    return loss(task);
  }

 private:
  static graft::Gpt2Config config() {
    graft::Gpt2Config c;
    c.vocabulary = vocabulary, c.context = 32, c.dim = 32, c.layers = 2, c.heads = 4, c.hidden = 64;
    return c;
  }
  /// 32 rows of blanks, a task's word several times, x and f(x); of one length, so that x is seen at every place.
  graft::Variable lesson(graft::Rng& rng) const {
    constexpr Index batch = 32;
    const Index before = 1 + rng.below(longest - 2);
    std::vector<graft::Id> all, scored;
    for (Index row = 0; row < batch; ++row) {
      const int task = static_cast<int>(rng.below(tasks));
      const Index blanks = rng.below(before);
      for (Index t = 0; t < before; ++t) all.push_back(t < blanks ? blank : first_word + static_cast<graft::Id>(task));
      const graft::Id x = static_cast<graft::Id>(rng.below(digits));
      all.push_back(x), all.push_back(f(task, x));
      scored.insert(scored.end(), static_cast<std::size_t>(before) + 1, graft::ignored);
      scored.push_back(f(task, x));
    }
    return graft::language_loss(*model, graft::Ids({batch, before + 2}, all), graft::Ids({batch, before + 2}, scored));
  }
  static graft::Ids pairs(int task, bool only_answers) {
    std::vector<graft::Id> all;
    for (graft::Id x = 0; x < digits; ++x) all.push_back(only_answers ? graft::ignored : x), all.push_back(f(task, x));
    return graft::Ids({digits, 2}, all);
  }
  template <class F>
  static std::vector<graft::Id> each(const F& of) {
    std::vector<graft::Id> all;
    for (graft::Id x = 0; x < digits; ++x) all.push_back(of(x));
    return all;
  }
};
