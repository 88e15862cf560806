// The tables of all methods: methods() for tests/peft/methods_test.cpp, by_default() for defaults_test.cpp. A new method is a
// row in each.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "nn/gpt2.h"
#include "nn/llama.h"
#include "peft/bottleneck.h"
#include "peft/ensemble.h"
#include "peft/ia3.h"
#include "peft/lora.h"
#include "peft/lora_plus.h"
#include "peft/method.h"
#include "peft/p_tuning.h"
#include "peft/p_tuning_v2.h"
#include "peft/prefix.h"
#include "peft/prompt.h"
#include "peft/quantize.h"
#include "peft/tune.h"
#include "peft/vera.h"

namespace graft::table {

struct MethodRow {
  std::string name;
  std::function<peft::Attached(const peft::BaseModel&, Rng&, const std::string&)> attach;
  /// How many numbers it trains on GPT-2 124M (counted by PEFT, or the formula), without a head; -1: no figure.
  Index on_gpt2 = -1;
  bool silent = true;  ///< does it change nothing at first?
  bool merges = true;  ///< can it be folded into the weights?
  bool needs_biases = false;
  bool only_language = false;  ///< nothing to sit on in a classifier
  bool only_classifier = false;
  bool saves = true;  ///< is there a file format for it?
  bool rows = true;   ///< may rows of one batch use it beside others?
};

template <class M>
MethodRow row(std::string name, Index on_gpt2, const M& method) {
  MethodRow r;
  r.name = std::move(name);
  r.on_gpt2 = on_gpt2;
  r.attach = [method](const peft::BaseModel& base, Rng& rng, const std::string& as) { return peft::attach(base, method, rng, as); };
  return r;
}
inline MethodRow loud(MethodRow r) { return r.silent = false, r; }
inline MethodRow unmergeable(MethodRow r) { return r.merges = false, r; }
inline MethodRow whole_batch(MethodRow r) { return r.rows = false, r; }
inline MethodRow for_language(MethodRow r) { return r.only_language = true, r; }
inline MethodRow for_classifiers(MethodRow r) { return r.only_classifier = true, r; }
inline MethodRow unsaved(MethodRow r) { return r.saves = false, r; }
inline MethodRow on_biases(MethodRow r) { return r.needs_biases = true, r; }

inline std::vector<MethodRow> methods() {
  using peft::Lora;
  std::vector<MethodRow> all;
  const auto lora = [](const std::function<void(Lora&)>& change) {
    Lora l;
    l.r = 2, l.alpha = 3;
    change(l);
    return l;
  };
  // Counts on GPT-2 124M are for the options in the row; those that the pages give are in counts_test.cpp.
  all.push_back(row("lora", 2 * 12 * 2 * (768 + 768), lora([](Lora&) {})));
  all.push_back(row("lora_all", 12 * 2 * (4 * 2 * 768 + 2 * (768 + 3072)),
                    lora([](Lora& l) { l.targets = {"q", "k", "v", "out", "up", "down"}, l.init = Lora::Init::gaussian; })));
  all.push_back(row("lora_fused", 12 * 2 * (768 + 3 * 768), lora([](Lora& l) {
                      l.targets = {"q", "k", "v"}, l.fused = true;
                    })));
  all.push_back(
      row("lora_rs_bias", 2 * 12 * (2 * (768 + 768) + 768), lora([](Lora& l) { l.rank_stabilized = true, l.bias = true; })));
  all.push_back(for_language(row("lora_head", 2 * (768 + 50257), lora([](Lora& l) { l.targets = {"head"}; }))));
  all.push_back(row("lora_table", 2 * (768 + 50257), lora([](Lora& l) { l.targets = {"embed"}; })));
  all.push_back(whole_batch(row("lora_norm", 2 * 12 * 2 * (768 + 768) + 2 * 768, lora([](Lora& l) { l.also = {"norm"}; }))));
  all.push_back(for_language(row("lora_copies", -1,
                                 lora([](Lora& l) { l.also = {"embed", "head"}; }))));
  all.push_back(row("dora_table", 2 * (768 + 50257) + 768, lora([](Lora& l) { l.targets = {"embed"}, l.dora = true; })));
  all.push_back(row("dora", 2 * 12 * (2 * (768 + 768) + 768), lora([](Lora& l) { l.dora = true; })));
  all.push_back(whole_batch(row("pissa", 2 * 12 * 2 * (768 + 768), lora([](Lora& l) { l.init = Lora::Init::pissa; }))));
  all.push_back(whole_batch(row("olora", 2 * 12 * 2 * (768 + 768), lora([](Lora& l) { l.init = Lora::Init::olora; }))));
  all.push_back(row("ia3", 12 * (2 * 768 + 3072), peft::Ia3{}));
  peft::Ia3 also;
  also.also = {"embed", "layers.0.mlp.up"};
  all.push_back(row("ia3_copies", -1, also));
  peft::Ia3 three;
  three.outputs = {"q", "k", "v"};
  all.push_back(row("ia3_fused", 12 * (3 * 768 + 3072), three));
  peft::Vera vera;
  vera.r = 6;
  all.push_back(row("vera", 12 * (6 + 2 * 768), vera));  // q and v share one d on GPT-2
  vera.targets = {"q", "k", "v", "out", "up", "down"}, vera.train_biases = peft::Vera::Biases::vera_only;
  all.push_back(whole_batch(row("vera_all", 12 * (4 * 6 + 2 * (5 * 768 + 4 * 768)), vera)));
  const auto adapter = [](const std::function<void(peft::BottleneckAdapter&)>& change) {
    peft::BottleneckAdapter b;
    b.size = 3, b.init = peft::BottleneckAdapter::Init::zero_up;
    change(b);
    return b;
  };
  using Form = peft::BottleneckAdapter::Form;
  const Index net = 2 * 768 * 3 + 3 + 768;
  all.push_back(unmergeable(row("adapter_houlsby", 24 * net, adapter([](auto&) {}))));
  all.push_back(unmergeable(
      row("adapter_after_mlp", 12 * net, adapter([](auto& b) { b.form = Form::after_mlp, b.activation = "gelu"; }))));
  all.push_back(unmergeable(row("adapter_parallel", 12 * net,
                                adapter([](auto& b) { b.form = Form::parallel, b.scale = 4, b.activation = "gelu"; }))));
  all.push_back(unsaved(
      unmergeable(whole_batch(row("adapter_norms", 24 * net + 12 * 4 * 768, adapter([](auto& b) { b.layer_norms = true; }))))));
  all.push_back(whole_batch(row("bitfit", 102144, peft::BitFit{})));
  all.push_back(whole_batch(row("layer_norm", 38400, peft::LayerNormTuning{})));
  all.push_back(for_classifiers(row("linear_probe", 0, peft::LinearProbe{})));
  const auto soft = [](MethodRow r) { return loud(unmergeable(std::move(r))); };
  peft::PrefixTuning prefix;
  prefix.length = 3;
  all.push_back(soft(row("prefix", 3 * 2 * 12 * 768, prefix)));
  prefix.hidden = 4;
  all.push_back(soft(row("prefix_mlp", 3 * 768 + 4 * 768 + 4 + 5 * 2 * 12 * 768, prefix)));
  peft::PTuningV2 v2;
  v2.length = 3, v2.dropout = 0;
  all.push_back(for_classifiers(soft(row("p_tuning_v2", 3 * 2 * 12 * 768, v2))));
  peft::PromptTuning prompt;
  prompt.length = 4;
  all.push_back(soft(row("prompt", 4 * 768, prompt)));
  peft::PTuning p;
  using Kind = peft::Piece::Kind;
  p.prompt_template = {
      {Kind::virtual_tokens, 2}, {Kind::sentence}, {Kind::words, 0, {2, 3}}, {Kind::virtual_tokens, 1}, {Kind::answer}};
  const Index lstm = 2 * (4 * 384 * (768 + 384 + 2) + 4 * 384 * (768 + 384 + 2)), dense = 768 * 768 + 768;
  all.push_back(soft(row("p_tuning_lstm", 3 * 768 + lstm + 2 * dense, p)));
  p.encoder = peft::PTuning::Encoder::mlp, p.flavour = peft::PTuning::Flavour::peft;
  all.push_back(soft(row("p_tuning_mlp", 3 * 768 + 3 * dense, p)));
  p.encoder = peft::PTuning::Encoder::none, p.words = {1, 2, 3};
  all.push_back(soft(row("p_tuning_rows", 3 * 768, p)));
  return all;
}

/// What a user of the library writes for each word that the program knows, without any option.
using AttachAll = std::function<std::vector<peft::Attached>(const peft::BaseModel&, Rng&)>;
template <class M>
AttachAll alone(const M& method) {
  return [method](const peft::BaseModel& base, Rng& rng) { return std::vector<peft::Attached>{peft::attach(base, method, rng)}; };
}
inline std::map<std::string, AttachAll> by_default() {
  peft::Lora rank_stabilized, dora, pissa;
  rank_stabilized.rank_stabilized = true, dora.dora = true, pissa.init = peft::Lora::Init::pissa;
  return {{"full", alone(peft::FullFineTuning{})},
          {"probe", alone(peft::LinearProbe{})},
          {"bitfit", alone(peft::BitFit{})},
          {"layernorm", alone(peft::LayerNormTuning{})},
          {"ia3", alone(peft::Ia3{})},
          {"lora", alone(peft::Lora{})},
          {"rslora", alone(rank_stabilized)},
          {"lora-plus", alone(peft::LoraPlus{})},
          {"dora", alone(dora)},
          {"pissa", alone(pissa)},
          {"qlora",
           [](const peft::BaseModel& base, Rng& rng) {
             peft::quantize(base);
             return std::vector<peft::Attached>{peft::attach(base, peft::Lora{}, rng)};
           }},
          {"vera", alone(peft::Vera{})},
          {"adapter", alone(peft::BottleneckAdapter{})},
          {"prefix", alone(peft::PrefixTuning{})},
          {"prompt", alone(peft::PromptTuning{})},
          {"ensemble",
           [](const peft::BaseModel& base, Rng& rng) {
             return peft::attach_ensemble(base, peft::PromptTuning{}, 5, rng, "prompt");
           }},
          {"p-tuning", alone(peft::PTuning{})},
          {"p-tuning-v2", alone(peft::PTuningV2{})}};
}

// --- models to graft on --------------------------------------------------------------------------------------------------

inline std::unique_ptr<Model> tiny_gpt2() {
  Gpt2Config c;
  c.vocabulary = 13, c.context = 16, c.dim = 8, c.layers = 2, c.heads = 2, c.hidden = 12;
  return std::make_unique<Gpt2>(c);
}
inline std::unique_ptr<Model> tiny_llama() {
  LlamaConfig c;
  c.vocabulary = 13, c.context = 16, c.dim = 8, c.hidden = 10, c.layers = 2, c.heads = 4, c.kv_heads = 2, c.head_dim = 2;
  c.attention_bias = c.mlp_bias = true, c.eps = real(0.1);  // norms of short rows bend too sharply for differences
  return std::make_unique<Llama>(c);
}
/// Numbers of an ordinary size everywhere.
inline void randomize(const Module& m, std::uint64_t seed = 7) {
  Rng rng(seed);
  for (const auto& p : m.parameters()) p.second->set(normal(p.second->shape(), p.second->shape().rank() == 1, real(0.4), rng));
}
/// What a method trains, moved: as if it had been trained.
inline void move(const peft::BaseModel& base, const std::string& name, std::uint64_t seed = 9) {
  Rng rng(seed);
  for (const auto& p : peft::parameters(base, name)) {
    Tensor t = p.second->value();
    const Tensor step = normal(t.shape(), 0, real(0.3), rng);
    real* to = t.write();
    for (Index i = 0; i < t.numel(); ++i) to[i] += step[i];
  }
}

}  // namespace graft::table
