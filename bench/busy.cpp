// Training steps that bench/busy times on an idle machine and beside busy loops; driven by commands (serve.h).
//   use 2x64 | 4x128 | 124M-lora | 124M-full     a model with random weights and a batch for it
// `bench_busy loops` instead times one loop on one thread and on all, both right after another loop and on sleeping threads:
// the source of the numbers in autograd/cpu/parallel.h.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>

#include "autograd/kernels.h"
#include "autograd/threads.h"
#include "bench/serve.h"
#include "nn/gpt2.h"
#include "peft/lora.h"
#include "peft/tune.h"
#include "train/optimizer.h"

namespace {

using namespace graft;

struct Training {
  Gpt2 model;
  Ids ids;
  std::unique_ptr<train::AdamW> adam;

  Training(const Gpt2Config& config, Index rows, Index T, bool lora) : model(config) {
    Rng rng(1);
    model.initialize(rng);
    if (lora) {
      peft::Lora l;
      l.r = 8, l.alpha = 16, l.fused = true, l.targets = {"q", "k", "v"};
      peft::attach(model, l, rng);
    }
    std::vector<Id> v;
    for (Index i = 0; i < rows * T; ++i) v.push_back(static_cast<Id>((i * 7919 + 13) % config.vocabulary));
    ids = Ids({rows, T}, v);
    adam = std::make_unique<train::AdamW>(peft::learning(model));
  }
  void step() {
    const Variable loss = language_loss(model, ids, ids);
    for (const auto& p : model.parameters()) {
      if (!p.second->learns()) continue;
      Variable v = p.second->own();
      v.clear_grad();
    }
    loss.backward();
    adam->step(real(1e-4));
  }
};

std::unique_ptr<Training> make(const std::string& name) {
  Gpt2Config small;
  small.vocabulary = 512, small.context = 64;
  small.layers = 2, small.dim = 64, small.heads = 2;
  if (name == "2x64") return std::make_unique<Training>(small, 8, 64, false);
  small.layers = 4, small.dim = 128, small.heads = 4;
  if (name == "4x128") return std::make_unique<Training>(small, 8, 64, false);
  if (name == "124M-lora") return std::make_unique<Training>(Gpt2Config{}, 4, 64, true);
  if (name == "124M-full") return std::make_unique<Training>(Gpt2Config{}, 4, 64, false);
  throw ValueError("unknown case \"" + name + "\"; cases are 2x64 4x128 124M-lora 124M-full");
}

/// Microseconds per call, the minimum of many: right after another call, or after a pause in which threads fall asleep.
double least(const std::function<void()>& f, bool after_sleep) {
  using Clock = std::chrono::steady_clock;
  double best = 1e9;
  for (int i = 0; i < (after_sleep ? 50 : 500); ++i) {
    if (after_sleep) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const auto begin = Clock::now();
    f();
    best = std::min(best, std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
  }
  return best;
}

int loops() {
  const int all = threads();
  std::puts("gelu of n numbers, microseconds, on one thread and on all; its kernel states a cost of 8 n");
  std::printf("%8s %9s %9s %9s %9s\n", "n", "1", "", "all", "");
  std::printf("%8s %9s %9s %9s %9s\n", "", "awake", "asleep", "awake", "asleep");
  for (Index n = 1024; n <= 256 * 1024; n *= 2) {
    const Tensor x(Shape{n}, real(0.5));
    std::printf("%8ld", static_cast<long>(n));
    for (const int count : {1, all})
      for (const bool after_sleep : {false, true}) {
        threads(count);
        std::printf(" %9.2f", least([&] { kernel::unary(kernel::Unary::gelu, x); }, after_sleep));
      }
    std::printf("\n");
  }
  return 0;
}

std::unique_ptr<Training> now;

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string(argv[1]) == "loops") return loops();
  bench::Side side;
  side.about = [] { return text("side=graft;threads=", threads(), ";compiler=", bench::compiler()); };
  side.use = [](const std::string& name) {
    now.reset();
    now = make(name);
  };
  side.run = [](bool) { now->step(); };
  return bench::serve(side);
}
