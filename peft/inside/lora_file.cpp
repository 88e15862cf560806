// LORA: <module>.lora_A.weight [r, in], <module>.lora_B.weight [out, r], however the base stores its weight.
#include <algorithm>
#include <cctype>
#include <cmath>

#include "autograd/kernels.h"
#include "autograd/sizes.h"
#include "nn/names.h"
#include "peft/dora.h"
#include "peft/inside/adapter_parts.h"
#include "peft/inside/target_modules.h"
#include "peft/lora.h"
#include "peft/lora_table.h"

namespace graft::peft {
namespace {

using Json = nlohmann::json;
const std::string prefix = "base_model.model.";

/// What init_lora_weights means for the base when PEFT loads the adapter (lora/layer.py, update_layer): nothing, or that it
/// loses the start of A and B. Errors: FormatError where PEFT changes the base by what the folder does not hold.
Lora::Init start_of(const AdapterConfig& config) {
  const char* const field = "init_lora_weights";
  const Json* value = config.find(field);
  if (!value || value->is_boolean()) return Lora::Init::kaiming;
  const std::string word = config.word(field);
  std::string lower = word;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (word == "pissa") return Lora::Init::pissa;
  if (lower == "olora") return Lora::Init::olora;
  const bool random = word.rfind("pissa", 0) == 0, elsewhere = word.rfind("corda", 0) == 0 || word == "loftq";
  expect<FormatError>(
      !random && !elsewhere, config.path(), ": the field init_lora_weights is \"", word, "\": its base ",
      random ? "is changed by random numbers, which PEFT draws again at every load" : "is not in the folder",
      "; let PEFT save it with path_initial_model_for_weight_conversion right after training, as a plain LoRA");
  config.expect_one_of(field, lower, {"gaussian", "orthogonal", "eva", "lora_ga", "mica"});  // a start of A and B alone
  return Lora::Init::kaiming;
}

std::string bias_key(const std::string& hf_name, const std::set<std::string>& adapted) {
  const std::string module = hf_name.substr(0, hf_name.rfind('.'));
  return prefix + (adapted.count(module) ? module + ".base_layer.bias" : hf_name);
}

/// ensure_weight_tying, where the table and its head are in the file: PEFT then trains one weight (or one pair) in both places.
bool as_one(const BaseModel& base, const AdapterConfig& config) {
  return config.flag("ensure_weight_tying", false) && is_tied(base.model);
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

/// PEFT has stored what the start left of the head, and loads that after it has computed the start: the file counts.
void take_start_from_file(const BaseModel& base, const std::string& name, LoraPair& pair) {
  if (!pair.A0.defined()) return;
  base.root.parameter("head.weight").drop_variant(name);
  pair.A0 = Tensor(), pair.B0 = Tensor();
}

/// The name in Hugging Face's model of the module at this path.
std::string stem_of(const BaseModel& base, const std::string& path) {
  const std::string weight = place_of(base, path + ".weight").name;
  return weight.substr(0, weight.rfind('.'));
}

}  // namespace

static Attached read_lora(const BaseModel& base, const AdapterConfig& config, Keys& keys, const std::string& name) {
  const bool gpt2 = model_type(base) == "gpt2";
  Lora lora;
  lora.r = config.size("r", 8);
  lora.alpha = static_cast<real>(config.number("lora_alpha", 8));
  lora.dropout = static_cast<real>(config.number("lora_dropout", 0));
  lora.init = start_of(config);
  lora.rank_stabilized = config.flag("use_rslora", false);
  lora.dora = config.flag("use_dora", false);
  lora.bias = config.flag("lora_bias", false);
  const std::string bias = config.word("bias", "none");
  config.expect_one_of("bias", bias, {"none", "all", "lora_only"});
  lora.train_biases = bias == "all" ? Lora::Biases::all : bias == "none" ? Lora::Biases::none : Lora::Biases::lora_only;
  const std::vector<std::string> saved = config.words("modules_to_save");
  lora.also = saved_modules(base, saved);
  const std::string head = prefix + "lm_head", table = prefix + stem_of(base, "embed");
  const auto whole = [&](const char* path) { return std::find(lora.also.begin(), lora.also.end(), path) != lora.also.end(); };
  lora.as_one = as_one(base, config) && (whole("embed") || whole("head")) && keys.has(head + ".weight") &&
                keys.has(table + ".weight");
  lora.fused = gpt2;
  lora.targets.clear();
  using Words = std::vector<std::string>;
  std::vector<HfModule> modules = targets_of(base, config, gpt2 ? Words{"c_attn"} : Words{"q_proj", "v_proj"}, true);
  if (as_one(base, config) && !names_an_embedding(saved))  // a pair on either of the two is on both
    for (const HfModule& module : hf_modules(base)) {
      const auto is = [&](const HfModule& m) { return m.name == module.name; };
      const bool other = (module.name == "lm_head" && keys.has(head + ".lora_A.weight")) ||
                         (module.table && keys.has(prefix + module.name + ".lora_embedding_A"));
      if (other && std::none_of(modules.begin(), modules.end(), is)) modules.push_back(module);
    }
  const NumberPattern ranks(config, "rank_pattern", true), alphas(config, "alpha_pattern", false);
  // fan_in_fan_out is put right by PEFT; the configurations of starts that were not taken, or that changed A and B only.
  config.expect_all_known({"fan_in_fan_out", "megatron_core", "qalora_group_size", "loftq_config", "eva_config", "corda_config",
                           "lora_ga_config"});
  std::set<std::string> adapted;
  for (const HfModule& module : modules) {
    adapted.insert(module.name);
    const Index r = static_cast<Index>(ranks.of(module.name, static_cast<double>(lora.r)));
    const double alpha = alphas.of(module.name, *lora.alpha);
    // Before a wrong rank allocates a lot of memory.
    const bool cut = lora.init == Lora::Init::pissa || lora.init == Lora::Init::olora;
    if (module.table) keys.expect_shape(prefix + module.name + ".lora_embedding_A", {r, module.in}, module.paths[0]);
    else
      keys.expect_shape(prefix + module.name + ".lora_A.weight", {cut ? std::min({r, module.in, module.out}) : r, module.in},
                        module.paths[0]);
    for (const std::string& path : module.paths) {
      lora.targets.push_back(path);
      lora.rank_pattern[path] = r;
      lora.alpha_pattern[path] = static_cast<real>(alpha);
    }
  }
  expect_vocabulary(base, keys, prefix);
  Rng rng(0);  // what is drawn is replaced at once
  Attached attached = attach(base, lora, rng, name);
  const auto wrappers = holders<LoraLinear, Projection>(base, name);
  const auto tables = holders<LoraTable, Table>(base, name);
  for (const HfModule& module : modules) {
    const std::string at = prefix + module.name;
    if (module.table) {
      LoraTablePair& p = tables.at(module.paths[0])->entry(name);
      p.A.set(transposed(keys.take(at + ".lora_embedding_A", Shape{p.A.shape()[1], module.in}, module.paths[0])));
      p.B.set(keys.take(at + ".lora_embedding_B", p.B.shape(), module.paths[0]));
      if (p.magnitude) p.magnitude->set(take_magnitude(keys, at, p.magnitude->shape(), module.paths[0]));
      continue;
    }
    const Index parts = size_of(module.paths);
    std::vector<LoraPair*> pairs;
    for (const std::string& path : module.paths) pairs.push_back(&wrappers.at(path)->entry(name));
    pairs[0]->A.set(keys.take(at + ".lora_A.weight", pairs[0]->A.shape(), module.paths[0]));
    const Tensor B = keys.take(at + ".lora_B.weight", Shape{module.out, pairs[0]->A.shape()[0]}, module.paths[0]);
    Tensor b, m;
    if (lora.bias) b = keys.take(at + ".lora_B.bias", Shape{module.out}, module.paths[0]);
    if (lora.dora) m = take_magnitude(keys, at, Shape{module.out}, module.paths[0]);
    for (Index i = 0; i < parts; ++i) {
      LoraPair& p = *nth(pairs, i);
      p.B.set(rows_part(B, i, parts));
      if (p.b) p.b->set(rows_part(b, i, parts));
      if (p.magnitude) p.magnitude->set(rows_part(m, i, parts));
    }
  }
  read_variants(base, name, keys, [&](const std::string&, const std::string& hf) {
    return matches(hf, "bias") && lora.train_biases != Lora::Biases::none ? bias_key(hf, adapted) : prefix + hf;
  });
  read_head(base, name, keys, prefix);
  const auto adapted_head = wrappers.find("head");
  if (adapted_head != wrappers.end() && keys.has(prefix + "lm_head.base_layer.weight"))
    take_start_from_file(base, name, adapted_head->second->entry(name));
  read_tables(base, name, keys, prefix);
  read_repeats(keys);
  return attached;
}

namespace {

/// One of the projections that a module of Hugging Face is made of, with its pair, if it has one.
struct Piece {
  const Projection* projection;
  const LoraPair* pair;
};

/// Where a pair's rows begin in the module's A: r of its own, and r more if its base went without its start (PiSSA, OLoRA).
struct Term {
  const LoraPair* pair;
  Index begin;
  Index end() const { return begin + pair->A.shape()[0] * (pair->A0.defined() ? 2 : 1); }
};

/// Each A once: pieces that share one share its rows.
std::vector<Term> terms_of(const std::vector<Piece>& pieces) {
  std::vector<Term> terms;
  for (const Piece& piece : pieces) {
    const auto shared = [&](const Term& term) { return term.pair->A.same(piece.pair->A); };
    if (piece.pair && std::none_of(terms.begin(), terms.end(), shared))
      terms.push_back({piece.pair, terms.empty() ? 0 : terms.back().end()});
  }
  return terms;
}

Tensor stacked_A(const std::vector<Term>& terms) {
  std::vector<Tensor> rows;
  for (const Term& term : terms) {
    rows.push_back(term.pair->A.value());
    if (term.pair->A0.defined()) rows.push_back(term.pair->A0);
  }
  return stacked(rows);
}

/// B of one piece among all terms: its own columns hold B, those of its start -B₀, and the others 0; all of it times `factor`.
Tensor block_B(const Piece& piece, const std::vector<Term>& terms, real factor) {
  const Index out = piece.projection->out(), rank = terms.back().end();
  Tensor block(Shape{out, rank}, 0);
  if (!piece.pair) return block;
  const auto mine = std::find_if(terms.begin(), terms.end(), [&](const Term& t) { return t.pair->A.same(piece.pair->A); });
  const Index r = piece.pair->A.shape()[0];
  const auto put = [&](const Tensor& B, Index column, real times) {
    real* to = block.write() + column;
    const real* numbers = B.data();
    for (Index o = 0; o < out; ++o, to += rank)
      for (Index k = 0; k < r; ++k) to[k] = *numbers++ * times;
  };
  put(piece.pair->B.value(), mine->begin, factor);
  if (piece.pair->B0.defined()) put(piece.pair->B0, mine->begin + r, -factor);
  return block;
}

/// One pair for a module made of several pieces.
struct Joined {
  Tensor A, B, b, m;
  real scale = 1;
};

/// A stacked, B block-diagonal. The scale is the first's (that is not 0); where another differs, B takes the ratio. Magnitudes are
/// those of the pairs, and ‖W‖ where no pair changes a piece.
Joined joined(const std::vector<Piece>& pieces) {
  const std::vector<Term> terms = terms_of(pieces);
  const auto scaled = std::find_if(terms.begin(), terms.end(), [](const Term& term) { return term.pair->scale != 0; });
  const LoraPair& first = scaled == terms.end() ? *terms[0].pair : *scaled->pair;
  std::vector<Tensor> B, b, m;
  for (const Piece& piece : pieces) {
    const LoraPair* p = piece.pair;
    const real factor = !p || p->scale == first.scale ? 1 : p->scale / first.scale;  // both may be 0
    B.push_back(block_B(piece, terms, factor));
    b.push_back(p && p->b ? kernel::scale(p->b->value(), factor) : Tensor(Shape{piece.projection->out()}, 0));
    if (first.magnitude) m.push_back(p ? p->magnitude->value() : row_norms(piece.projection->dense()));
  }
  return {stacked_A(terms), stacked(B), first.b ? stacked(b) : Tensor(), first.magnitude ? stacked(m) : Tensor(), first.scale};
}

}  // namespace

static void write_lora(const BaseModel& base, const Attached& attached, Json& config, NamedTensors& tensors) {
  const auto& lora = dynamic_cast<const Lora&>(*attached.method);
  const std::string& name = attached.name;
  Json targets = Json::array(), ranks = Json::object(), alphas = Json::object();
  std::set<std::string> adapted;
  const auto wrappers = holders<LoraLinear, Projection>(base, name);
  const auto tables = holders<LoraTable, Table>(base, name);
  std::map<std::string, const Projection*> projections;
  for (const auto& slot : base.root.slots<Projection>())
    if (!slot.second->empty()) projections[slot.first] = &**slot.second;
  for (const HfModule& module : hf_modules(base)) {
    const std::string at = prefix + module.name;
    Index r = 0;
    real scale = 1;
    if (module.table) {
      if (tables.count(module.paths[0]) == 0) continue;
      const LoraTablePair& p = tables.at(module.paths[0])->entry(name);
      tensors[at + ".lora_embedding_A"] = transposed(p.A.value());
      tensors[at + ".lora_embedding_B"] = p.B.value();
      if (p.magnitude) tensors[at + ".lora_magnitude_vector"] = p.magnitude->value();
      r = p.A.shape()[1], scale = p.scale;
    } else {
      std::vector<Piece> pieces;
      for (const std::string& path : module.paths) {
        const auto found = wrappers.find(path);
        pieces.push_back({projections.at(path), found == wrappers.end() ? nullptr : &found->second->entry(name)});
      }
      if (std::none_of(pieces.begin(), pieces.end(), [](const Piece& piece) { return piece.pair != nullptr; })) continue;
      const Joined j = joined(pieces);
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
  config["lora_alpha"] = alphas.empty() ? Json(lora.usual_alpha()) : *alphas.begin();
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
  config["fan_in_fan_out"] = model_type(base) == "gpt2";
  config["bias"] = lora.train_biases == Lora::Biases::all    ? "all"
                   : lora.train_biases == Lora::Biases::none ? "none"
                                                             : "lora_only";
  config["use_rslora"] = lora.rank_stabilized, config["use_dora"] = lora.dora, config["lora_bias"] = lora.bias;
  config["init_lora_weights"] = true;
  config["modules_to_save"] = saved_names(base, lora.also);
  write_variants(base, name, tensors, [&](const std::string&, const std::string& hf) {
    return matches(hf, "bias") && lora.train_biases != Lora::Biases::none ? bias_key(hf, adapted) : prefix + hf;
  });
  write_head(base, name, tensors, prefix);
  // What PiSSA or OLoRA leaves of the head is not a new base; A0 and B0 record it.
  const auto adapted_head = wrappers.find("head");
  const bool rest = adapted_head != wrappers.end() && adapted_head->second->entry(name).A0.defined();
  write_tables(base, name, tensors, prefix, rest);
  const std::string table = prefix + stem_of(base, "embed") + ".weight", head = prefix + "lm_head.weight";
  if (lora.as_one && is_tied(base.model) && tensors.count(table) + tensors.count(head) > 0) {
    config["ensure_weight_tying"] = true;
    tensors.emplace(head, tensors.count(table) ? tensors.at(table) : tensors.at(head));
    tensors.emplace(table, tensors.at(head));
  }
}

const FileFormat lora_file{{"LORA"}, any_of<Lora>, read_lora, write_lora};

}  // namespace graft::peft
