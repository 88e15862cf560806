// LORA: <module>.lora_A.weight [r, in], <module>.lora_B.weight [out, r], always so, whatever way the base stores its weight.
#include <algorithm>
#include <cmath>

#include "nn/names.h"
#include "peft/inside/adapter_parts.h"
#include "peft/lora.h"
#include "peft/lora_table.h"

namespace graft::peft {
namespace {

using Json = nlohmann::json;
const std::string prefix = "base_model.model.";

/// The wrapper of this kind in the slot at `path`, and the pair of `name` in it.
template <class W, class T>
W* find(const Host& host, const std::string& path, const std::string& name) {
  for (const auto& slot : host.root.slots<T>()) {
    if (slot.first != path || slot.second->empty()) continue;
    for (Module* at = &**slot.second; at != nullptr;) {
      auto* wrapper = dynamic_cast<W*>(at);
      if (wrapper && wrapper->holds(name)) return wrapper;
      auto* wraps = dynamic_cast<Wraps<T>*>(at);
      at = wraps ? static_cast<Module*>(&*wraps->base) : nullptr;
    }
  }
  return nullptr;
}

double pattern_value(const Json& json, const char* field, const std::string& module, double otherwise) {
  if (!json.contains(field) || !json[field].is_object()) return otherwise;
  for (const auto& entry : json[field].items())
    if (suffix_matches(module, entry.key()) && entry.value().is_number()) return entry.value().get<double>();
  return otherwise;
}

/// Options that change what is computed and that graft does not have.
void refuse_others(const ConfigReader& config, const Json& json) {
  for (const char* field :
       {"use_qalora", "use_bdlora", "alora_invocation_tokens", "layer_replication", "megatron_config", "target_parameters",
        "trainable_token_indices", "arrow_config", "kasa_config", "velora_config", "monteclora_config"}) {
    if (!json.contains(field) || json[field].is_null() || json[field] == Json(false)) continue;
    if (json[field].is_structured() && json[field].empty()) continue;
    config.refuse(field, json[field].dump().substr(0, 60));
  }
}

std::string bias_key(const std::string& hf_name, const std::set<std::string>& adapted) {
  const std::string module = hf_name.substr(0, hf_name.rfind('.'));
  return prefix + (adapted.count(module) ? module + ".base_layer.bias" : hf_name);
}

/// ensure_weight_tying, where the table and its head are in the file: PEFT then trains one weight (or one pair) in both places.
bool as_one(const Host& host, const ConfigReader& config) {
  return config.flag("ensure_weight_tying", false) && is_tied(host.model);
}

bool names_an_embedding(const std::vector<std::string>& words) {  // PEFT looks for just these two
  return std::any_of(words.begin(), words.end(), [](const std::string& word) {
    const std::string last = word.substr(word.rfind('.') + 1);
    return last == "embed_tokens" || last == "lm_head";
  });
}

/// Old files call it "...vector.weight".
Tensor take_magnitude(Keys& keys, const std::string& at, const Shape& shape, const std::string& why) {
  const std::string name = at + ".lora_magnitude_vector", old = name + ".weight";
  return keys.take(keys.has(old) ? old : name, shape, why);
}

/// The name in Hugging Face's model of the module at this path.
std::string stem_of(const Host& host, const std::string& path) {
  const std::string weight = place_of(host, path + ".weight").name;
  return weight.substr(0, weight.rfind('.'));
}

}  // namespace

Attached read_lora(const Host& host, const ConfigReader& config, const Json& json, Keys& keys, const std::string& name) {
  refuse_others(config, json);
  Lora lora;
  lora.r = config.size("r", 8);
  lora.alpha = static_cast<real>(config.number("lora_alpha", 8));
  lora.dropout = static_cast<real>(config.number("lora_dropout", 0));
  lora.rank_stabilized = config.flag("use_rslora", false);
  lora.dora = config.flag("use_dora", false);
  lora.bias = config.flag("lora_bias", false);
  const std::string bias = config.word("bias", "none");
  config.expect_one_of("bias", bias, {"none", "all", "lora_only"});
  lora.train_biases = bias == "all" ? Lora::Biases::all : bias == "none" ? Lora::Biases::none : Lora::Biases::lora_only;
  const std::vector<std::string> saved = words_of(config, json, "modules_to_save");
  lora.also = saved_modules(host, saved);
  const std::string head = prefix + "lm_head", table = prefix + stem_of(host, "embed");
  const auto whole = [&](const char* path) { return std::find(lora.also.begin(), lora.also.end(), path) != lora.also.end(); };
  lora.as_one = as_one(host, config) && (whole("embed") || whole("head")) && keys.has(head + ".weight") &&
                keys.has(table + ".weight");
  lora.fused = model_type(host) == "gpt2";
  lora.targets.clear();
  const bool gpt2 = model_type(host) == "gpt2";
  std::vector<HfModule> modules =
      targets_of(host, config, json, gpt2 ? std::vector<std::string>{"c_attn"} : std::vector<std::string>{"q_proj", "v_proj"});
  if (as_one(host, config) && !names_an_embedding(saved))  // a pair on either of the two is on both
    for (const HfModule& module : hf_modules(host)) {
      const auto is = [&](const HfModule& m) { return m.name == module.name; };
      const bool other = (module.name == "lm_head" && keys.has(head + ".lora_A.weight")) ||
                         (module.table && keys.has(prefix + module.name + ".lora_embedding_A"));
      if (other && std::none_of(modules.begin(), modules.end(), is)) modules.push_back(module);
    }
  std::set<std::string> adapted;
  for (const HfModule& module : modules) {
    adapted.insert(module.name);
    for (const std::string& path : module.paths) {
      lora.targets.push_back(path);
      lora.rank_pattern[path] =
          static_cast<Index>(pattern_value(json, "rank_pattern", module.name, static_cast<double>(lora.r)));
      lora.alpha_pattern[path] = static_cast<real>(pattern_value(json, "alpha_pattern", module.name, lora.alpha));
    }
  }
  expect_vocabulary(host, keys, prefix);
  Rng rng(0);  // what is drawn is replaced at once
  Attached attached = attach(host, lora, rng, name);
  try {
    for (const HfModule& module : modules) {
      const std::string at = prefix + module.name;
      const Index r = lora.rank_of(module.paths[0]);
      if (module.table) {
        LoraTable::Pair& p = find<LoraTable, Table>(host, module.paths[0], name)->pair(name);
        p.A.give(transposed(keys.take(at + ".lora_embedding_A", Shape{r, p.A.shape()[0]}, module.paths[0])));
        p.B.give(keys.take(at + ".lora_embedding_B", p.B.shape(), module.paths[0]));
        if (p.magnitude) p.magnitude->give(take_magnitude(keys, at, p.magnitude->shape(), module.paths[0]));
        continue;
      }
      const Index parts = static_cast<Index>(module.paths.size());
      std::vector<LoraPair*> pairs;
      for (const std::string& path : module.paths) pairs.push_back(&find<LoraLinear, Projection>(host, path, name)->pair(name));
      const Index out = pairs[0]->B.shape()[0] * parts;  // GPT-2's q, k and v have one size
      pairs[0]->A.give(keys.take(at + ".lora_A.weight", pairs[0]->A.shape(), module.paths[0]));
      const Tensor B = keys.take(at + ".lora_B.weight", Shape{out, r}, module.paths[0]);
      Tensor b, m;
      if (lora.bias) b = keys.take(at + ".lora_B.bias", Shape{out}, module.paths[0]);
      if (lora.dora) m = take_magnitude(keys, at, Shape{out}, module.paths[0]);
      for (Index i = 0; i < parts; ++i) {
        LoraPair& p = *pairs[static_cast<std::size_t>(i)];
        p.B.give(rows_part(B, i, parts));
        if (p.b) p.b->give(rows_part(b, i, parts));
        if (p.magnitude) p.magnitude->give(rows_part(m, i, parts));
      }
    }
    read_variants(host, name, keys, [&](const std::string&, const std::string& hf) {
      return matches(hf, "bias") && lora.train_biases != Lora::Biases::none ? bias_key(hf, adapted) : prefix + hf;
    });
    read_head(host, name, keys, prefix);
    read_tables(host, name, keys, prefix);
    read_repeats(keys);
  } catch (...) {
    detach(host, attached);
    throw;
  }
  return attached;
}

namespace {

/// One pair for a module made of several projections, which may have pairs of their own or none.
struct Joined {
  Tensor A, B, b, m;
  real scale = 1;
};

/// A stacked, B block-diagonal. Rows of B where a projection has no pair are 0; the scale is taken into B where it differs.
Joined joined(const Host& host, const HfModule& module, const std::string& name) {
  std::vector<const LoraPair*> pairs;
  std::vector<const LoraLinear*> wrappers;
  const LoraPair* first = nullptr;
  for (const std::string& path : module.paths) {
    const auto* wrapper = find<LoraLinear, Projection>(host, path, name);
    wrappers.push_back(wrapper);
    pairs.push_back(wrapper ? &wrapper->pair(name) : nullptr);
    if (!first) first = pairs.back();
  }
  Joined j;
  j.scale = first->scale;
  // The low-rank terms, each once: projections that share an A share its rows.
  std::vector<const LoraPair*> terms;
  std::vector<Tensor> As;
  const auto term_of = [&](const LoraPair* p) {
    for (std::size_t t = 0; t < terms.size(); ++t)
      if (terms[t]->A.same(p->A)) return t;
    return terms.size();
  };
  for (const LoraPair* p : pairs)
    if (p && term_of(p) == terms.size()) terms.push_back(p);
  std::vector<Index> begin;
  Index rank = 0;
  for (const LoraPair* t : terms) {
    begin.push_back(rank);
    As.push_back(t->A.value());
    if (t->A0.defined()) As.push_back(t->A0);
    rank += t->A.shape()[0] * (t->A0.defined() ? 2 : 1);
  }
  j.A = stacked(As);
  std::vector<Tensor> Bs, bs, ms;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const LoraPair* p = pairs[i];
    Index out = 0;
    for (const auto& slot : host.root.slots<Projection>())
      if (slot.first == module.paths[i]) out = (*slot.second)->out();
    Tensor B(Shape{out, rank}, 0), b(Shape{out}, 0);
    if (p) {
      const Index r = p->A.shape()[0], at = begin[term_of(p)];
      for (Index o = 0; o < out; ++o)
        for (Index k = 0; k < r; ++k) {
          B.write()[o * rank + at + k] = p->B.value()[o * r + k] * (p->scale / j.scale);
          if (p->B0.defined()) B.write()[o * rank + at + r + k] = -p->B0[o * r + k] * (p->scale / j.scale);
        }
      if (p->b)
        for (Index o = 0; o < out; ++o) b.write()[o] = p->b->value()[o] * (p->scale / j.scale);
    }
    Bs.push_back(B), bs.push_back(b);
    if (first->magnitude) {
      if (p) {
        ms.push_back(p->magnitude->value());
        continue;
      }
      Tensor norm(Shape{out});  // no pair: W' = W needs m = ‖W‖
      for (const auto& slot : host.root.slots<Projection>()) {
        if (slot.first != module.paths[i]) continue;
        const Tensor W = (*slot.second)->dense();
        for (Index o = 0; o < out; ++o) {
          double sum = 0;
          for (Index k = 0; k < W.cols(); ++k) sum += double(W[o * W.cols() + k]) * double(W[o * W.cols() + k]);
          norm.write()[o] = static_cast<real>(std::sqrt(sum));
        }
      }
      ms.push_back(norm);
    }
  }
  j.B = stacked(Bs);
  if (first->b) j.b = stacked(bs);
  if (first->magnitude) j.m = stacked(ms);
  return j;
}

}  // namespace

void write_lora(const Host& host, const Attached& attached, Json& config, Named_tensors& tensors) {
  const auto& lora = dynamic_cast<const Lora&>(*attached.method);
  const std::string& name = attached.name;
  Json targets = Json::array(), ranks = Json::object(), alphas = Json::object();
  std::set<std::string> adapted;
  for (const HfModule& module : hf_modules(host)) {
    const std::string at = prefix + module.name;
    Index r = 0;
    real scale = 1;
    if (module.table) {
      const auto* table = find<LoraTable, Table>(host, module.paths[0], name);
      if (!table) continue;
      const LoraTable::Pair& p = table->pair(name);
      tensors[at + ".lora_embedding_A"] = transposed(p.A.value());
      tensors[at + ".lora_embedding_B"] = p.B.value();
      if (p.magnitude) tensors[at + ".lora_magnitude_vector"] = p.magnitude->value();
      r = p.A.shape()[1], scale = p.scale;
    } else {
      if (std::none_of(module.paths.begin(), module.paths.end(),
                       [&](const std::string& path) { return find<LoraLinear, Projection>(host, path, name) != nullptr; }))
        continue;
      const Joined j = joined(host, module, name);
      tensors[at + ".lora_A.weight"] = j.A;
      tensors[at + ".lora_B.weight"] = j.B;
      if (j.b.defined()) tensors[at + ".lora_B.bias"] = j.b;
      if (j.m.defined()) tensors[at + ".lora_magnitude_vector"] = j.m;
      r = j.A.rows(), scale = j.scale;
    }
    adapted.insert(module.name);
    targets.push_back(module.name);
    const double rank = static_cast<double>(r),
                 alpha = static_cast<double>(scale) * (lora.rank_stabilized ? std::sqrt(rank) : rank);
    ranks[module.name] = r;
    alphas[module.name] = std::abs(alpha - std::round(alpha)) < 1e-4 ? std::round(alpha) : alpha;
  }
  config["peft_type"] = "LORA";
  config["r"] = ranks.empty() ? Json(lora.r) : *ranks.begin();
  config["lora_alpha"] = alphas.empty() ? Json(lora.alpha) : *alphas.begin();
  const auto exceptions = [](const Json& all, const Json& usual) {
    Json others = Json::object();
    for (const auto& entry : all.items())
      if (entry.value() != usual) others[entry.key()] = entry.value();
    return others;
  };
  config["rank_pattern"] = exceptions(ranks, config["r"]);
  config["alpha_pattern"] = exceptions(alphas, config["lora_alpha"]);
  config["target_modules"] = targets;
  config["lora_dropout"] = lora.dropout;
  config["fan_in_fan_out"] = model_type(host) == "gpt2";
  config["bias"] = lora.train_biases == Lora::Biases::all    ? "all"
                   : lora.train_biases == Lora::Biases::none ? "none"
                                                             : "lora_only";
  config["use_rslora"] = lora.rank_stabilized, config["use_dora"] = lora.dora, config["lora_bias"] = lora.bias;
  config["init_lora_weights"] = true;
  config["modules_to_save"] = saved_names(host, lora.also);
  write_variants(host, name, tensors, [&](const std::string&, const std::string& hf) {
    return matches(hf, "bias") && lora.train_biases != Lora::Biases::none ? bias_key(hf, adapted) : prefix + hf;
  });
  write_head(host, name, tensors, prefix);
  if (lora.init != Lora::Init::pissa) write_tables(host, name, tensors, prefix);  // the rest that PiSSA leaves is no new base
  const std::string table = prefix + stem_of(host, "embed") + ".weight", head = prefix + "lm_head.weight";
  if (lora.as_one && is_tied(host.model) && tensors.count(table) + tensors.count(head) > 0) {
    config["ensure_weight_tying"] = true;
    tensors.emplace(head, tensors.count(table) ? tensors.at(table) : tensors.at(head));
    tensors.emplace(table, tensors.at(head));
  }
}

}  // namespace graft::peft
