// One training step (forward, backward, AdamW) of each method on a model of GPT-2's 124M shape with random weights,
// driven by commands (serve.h). bench/methods_compare runs it in turns with PEFT.
//   use METHOD/T     a model with the method on it, batches of 4 rows of T tokens
#include <sys/resource.h>

#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <optional>

#include "autograd/ledger.h"
#include "autograd/threads.h"
#include "bench/serve.h"
#include "nn/gpt2.h"
#include "peft/bottleneck.h"
#include "peft/ia3.h"
#include "peft/lora.h"
#include "peft/p_tuning.h"
#include "peft/prefix.h"
#include "peft/prompt.h"
#include "peft/quantize.h"
#include "peft/tune.h"
#include "train/optimizer.h"

namespace {

using namespace graft;
using Attach = std::function<void(Gpt2&, Rng&)>;

template <class M>
Attach method(const M& m) {
  return [m](Gpt2& model, Rng& rng) { peft::attach(model, m, rng); };
}

peft::Lora lora(bool fused) {
  peft::Lora l;
  l.r = 8, l.alpha = 16, l.fused = fused;
  if (fused) l.targets = {"q", "k", "v"};  // PEFT's c_attn
  return l;
}

const std::map<std::string, Attach>& methods() {
  static const std::map<std::string, Attach> all = [] {
    peft::Lora dora = lora(true);
    dora.dora = true;
    peft::Ia3 ia3;
    ia3.outputs = {"q", "k", "v"};
    peft::PrefixTuning prefix;
    peft::PromptTuning prompt;
    peft::PTuning p;
    p.prompt_template = peft::front_template(20), p.flavour = peft::PTuning::Flavour::peft;
    peft::BottleneckAdapter adapter;
    adapter.size = 48;
    return std::map<std::string, Attach>{
        // Backward to the first block's input, where only the positions are trained: the cost common to every method.
        {"frozen", [](Gpt2& m, Rng&) { m.learn(false), m.parameter("positions.weight").learn(true); }},
        {"full", method(peft::FullFineTuning{})},
        {"lora", method(lora(true))},
        {"lora_qv", method(lora(false))},
        {"lora_merged", [](Gpt2& m, Rng& rng) { peft::attach(m, lora(true), rng), peft::merge(m, "default"); }},
        {"dora", method(dora)},
        {"ia3", method(ia3)},
        {"prefix", method(prefix)},
        {"prompt", method(prompt)},
        {"ptuning", method(p)},
        {"adapter", method(adapter)},
        {"bitfit", method(peft::BitFit{})},
        {"qlora", [](Gpt2& m, Rng& rng) { peft::quantize(m), peft::attach(m, lora(true), rng); }},
    };
  }();
  return all;
}

struct Case {
  Gpt2 model{Gpt2Config{}};
  Ids ids;
  std::optional<train::AdamW> adam;

  Case(const std::string& name, Index T) {
    Rng rng(1);
    model.initialize(rng);
    methods().at(name)(model, rng);
    std::vector<Id> v;
    for (Index i = 0; i < 4 * T; ++i) v.push_back(static_cast<Id>((i * 7919 + 13) % 50257));
    ids = Ids({4, T}, v);
    if (name != "frozen" && name != "lora_merged") adam.emplace(peft::learning(model));
  }
  void run(bool step) {
    if (!step) {
      const NoGrad no_grad;
      language_loss(model, ids, ids);
      return;
    }
    const Variable y = language_loss(model, ids, ids);
    for (const auto& p : model.parameters()) {
      if (!p.second->learns()) continue;
      Variable v = p.second->own();
      v.clear_grad();
    }
    if (model.count(true) == 0) return;
    y.backward();
    if (adam) adam->step(real(1e-4));
  }
};
std::unique_ptr<Case> now;

double resident() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

}  // namespace

int main() {
  bench::Side side;
  side.about = [] { return text("side=graft;threads=", threads(), ";compiler=", bench::compiler()); };
  side.list = [] {
    std::string all;
    for (const auto& m : methods()) all += m.first + " ";
    return all;
  };
  side.use = [](const std::string& name) {
    now.reset();
    const std::size_t slash = name.find('/');
    now = std::make_unique<Case>(name.substr(0, slash), std::stol(name.substr(slash + 1)));
  };
  side.run = [](bool step) { now->run(step); };
  side.check = [] { return text(now->model.count(true)); };
  side.memory = [] {  // MiB at the peaks of two steps: by category, in total, and resident
    now->run(true);
    reset_peaks();
    now->run(true);
    const Ledger l = ledger();
    std::string out;
    const auto mib = [](std::size_t bytes) { return static_cast<double>(bytes) / (1 << 20); };
    for (int c = 0; c < categories; ++c)
      out += text(name(static_cast<Category>(c)), "=", mib(l.peak[static_cast<std::size_t>(c)]), ";");
    return text(out, "all=", mib(l.total_peak), ";resident=", resident());
  };
  return bench::serve(side);
}
