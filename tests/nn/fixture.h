// The models of tests/fixtures/models, read without the library's loader: an own reader of safetensors, an own mapping of
// names, so that models, gradients and the loader itself can be checked against them.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "autograd/sizes.h"
#include "formats/safetensors.h"
#include "nn/classifier.h"
#include "nn/gpt2.h"
#include "nn/llama.h"
#include "nn/token_classifier.h"
#include "tests/autograd/compare.h"
#include "tests/here.h"

namespace graft::fixture {

using nlohmann::json;
using Numbers = std::vector<double>;

inline std::string path(const std::string& name) { return here::fixtures() + "/models/" + name; }

inline std::string bytes_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error("cannot open " + file);
  return {std::istreambuf_iterator<char>(in), {}};
}
inline json json_of(const std::string& file) { return json::parse(bytes_of(file)); }

/// A tensor of a safetensors file, as it stands there.
struct Raw {
  std::string dtype;
  std::vector<Index> shape;
  std::string bytes;

  Index numel() const {
    Index n = 1;
    for (const Index s : shape) n *= s;
    return n;
  }
  Numbers numbers() const {
    Numbers v;
    for (std::size_t i = 0; i < static_cast<std::size_t>(numel()); ++i) {
      float f = 0;
      std::uint16_t h = 0;
      if (dtype == "F32") std::memcpy(&f, bytes.data() + 4 * i, 4);
      else std::memcpy(&h, bytes.data() + 2 * i, 2);
      v.push_back(dtype == "F32" ? f : dtype == "F16" ? formats::from_half(h) : formats::from_bfloat(h));
    }
    return v;
  }
};
using RawFile = std::map<std::string, Raw>;

inline RawFile read_raw(const std::string& file) {
  const std::string all = bytes_of(file);
  std::uint64_t n = 0;
  std::memcpy(&n, all.data(), 8);
  RawFile tensors;
  const json header = json::parse(all.substr(8, n));
  for (const auto& item : header.items()) {
    if (item.key() == "__metadata__") continue;
    const auto at = item.value().at("data_offsets").get<std::vector<std::size_t>>();
    tensors[item.key()] = {item.value().at("dtype").get<std::string>(), item.value().at("shape").get<std::vector<Index>>(),
                           all.substr(8 + n + at[0], at[1] - at[0])};
  }
  return tensors;
}

inline void write_raw(const std::string& file, const RawFile& tensors) {
  json header = json::object();
  header["__metadata__"] = {{"format", "pt"}};
  std::string data;
  for (const auto& item : tensors) {
    header[item.first] = {{"dtype", item.second.dtype},
                          {"shape", item.second.shape},
                          {"data_offsets", {data.size(), data.size() + item.second.bytes.size()}}};
    data += item.second.bytes;
  }
  const std::string text = header.dump();
  const std::uint64_t n = text.size();
  std::ofstream(file, std::ios::binary).write(reinterpret_cast<const char*>(&n), 8) << text << data;
}

/// All tensors of a folder, of one file or of shards.
inline RawFile weights(const std::string& name) {
  if (std::ifstream(path(name) + "/model.safetensors")) return read_raw(path(name) + "/model.safetensors");
  RawFile all;
  const json index = json_of(path(name) + "/model.safetensors.index.json");
  for (const auto& item : index.at("weight_map").items())
    all[item.key()] = read_raw(path(name) + "/" + item.value().get<std::string>()).at(item.key());
  return all;
}

// --- names -------------------------------------------------------------------------------------------------------------

/// Where the numbers of one of our parameters are in Hugging Face's files.
struct Source {
  std::string name;
  bool transposed = false;  ///< stored (in, out)
  int third = -1;           ///< which third of c_attn's outputs
};

inline std::string replaced(std::string text, const std::vector<std::pair<std::string, std::string>>& pairs) {
  for (const auto& p : pairs) {
    const std::size_t at = text.find(p.first);
    if (at != std::string::npos) return text.replace(at, p.first.size(), p.second);
  }
  return text;
}

inline Source source_of(const std::string& ours, bool gpt2) {
  if (ours == "score.weight") return {ours};
  if (ours.rfind("classifier.", 0) == 0) return {gpt2 ? ours : "score." + ours.substr(11)};  // of tokens
  if (ours == "head.weight") return {"lm_head.weight"};
  if (!gpt2) {
    const std::string inside = replaced(ours, {{"mlp.norm.", "post_attention_layernorm."},
                                               {"attn.out.", "self_attn.o_proj."},
                                               {"attn.q.", "self_attn.q_proj."},
                                               {"attn.k.", "self_attn.k_proj."},
                                               {"attn.v.", "self_attn.v_proj."},
                                               {"mlp.gate.", "mlp.gate_proj."},
                                               {"mlp.up.", "mlp.up_proj."},
                                               {"mlp.down.", "mlp.down_proj."},
                                               {"embed.", "embed_tokens."}});
    const bool in_layer = inside == ours && inside.rfind("layers.", 0) == 0;
    return {"model." + (in_layer ? replaced(inside, {{".norm.", ".input_layernorm."}}) : inside)};
  }
  if (ours == "embed.weight") return {"transformer.wte.weight"};
  if (ours == "positions.weight") return {"transformer.wpe.weight"};
  if (ours.rfind("norm.", 0) == 0) return {"transformer.ln_f." + ours.substr(5)};
  const std::string h = "transformer.h" + ours.substr(6);
  for (const char* name : {"q", "k", "v"}) {
    const std::string part = std::string("attn.") + name + ".";
    if (h.find(part) != std::string::npos)
      return {replaced(h, {{part, "attn.c_attn."}}), true, name[0] == 'q' ? 0 : name[0] == 'k' ? 1 : 2};
  }
  if (h.find("mlp.norm.") != std::string::npos) return {replaced(h, {{"mlp.norm.", "ln_2."}})};
  if (h.find(".norm.") != std::string::npos) return {replaced(h, {{".norm.", ".ln_1."}})};
  return {replaced(h, {{"attn.out.", "attn.c_proj."}, {"mlp.up.", "mlp.c_fc."}, {"mlp.down.", "mlp.c_proj."}}), true};
}

/// The numbers of our parameter as Hugging Face has them (a weight, or a gradient: prefix "grad."), in our order.
inline Numbers numbers_for(const std::string& ours, const RawFile& file, bool gpt2, const std::string& prefix = {}) {
  const Source s = source_of(ours, gpt2);
  const auto found =
      file.count(prefix + s.name) ? file.find(prefix + s.name) : file.find(prefix + replaced(s.name, {{"transformer.", ""}}));
  if (found == file.end()) throw std::runtime_error("the fixture has no " + prefix + s.name + " for " + ours);
  const Raw& raw = found->second;
  const Numbers all = raw.numbers();
  const std::size_t rank = raw.shape.size();
  if (!s.transposed) return all;
  const Index in = rank == 2 ? raw.shape[0] : 1, out = raw.shape[rank - 1];
  const Index first = s.third < 0 ? 0 : s.third * out / 3, count = s.third < 0 ? out : out / 3;
  Numbers v;
  for (Index o = first; o < first + count; ++o)
    for (Index i = 0; i < in; ++i) v.push_back(nth(all, i * out + o));
  return v;
}

// --- models ------------------------------------------------------------------------------------------------------------

struct Built {
  std::unique_ptr<Module> root;
  Model* model = nullptr;
  Classifier* classifier = nullptr;
  TokenClassifier* token_classifier = nullptr;
  bool gpt2 = false;
};

inline std::unique_ptr<Model> language_model(const json& c) {
  if (c.at("model_type") == "gpt2") {
    Gpt2Config g;
    g.vocabulary = c.at("vocab_size"), g.context = c.at("n_positions"), g.dim = c.at("n_embd");
    g.layers = c.at("n_layer"), g.heads = c.at("n_head");
    g.hidden = c.at("n_inner").is_null() ? 0 : c.at("n_inner").get<Index>();
    g.activation = c.at("activation_function"), g.eps = c.at("layer_norm_epsilon");
    g.scale_by_layer = c.at("scale_attn_by_inverse_layer_idx"), g.scale_scores = c.at("scale_attn_weights");
    g.tied = c.value("tie_word_embeddings", true);
    return std::make_unique<Gpt2>(g);
  }
  LlamaConfig l;
  l.vocabulary = c.at("vocab_size"), l.context = c.at("max_position_embeddings"), l.dim = c.at("hidden_size");
  l.hidden = c.at("intermediate_size"), l.layers = c.at("num_hidden_layers"), l.heads = c.at("num_attention_heads");
  l.kv_heads = c.at("num_key_value_heads"), l.head_dim = c.at("head_dim"), l.activation = c.at("hidden_act");
  l.eps = c.at("rms_norm_eps"), l.rope_theta = c.at("rope_theta");
  l.attention_bias = c.at("attention_bias"), l.mlp_bias = c.at("mlp_bias"), l.tied = c.value("tie_word_embeddings", false);
  if (c.at("rope_scaling").is_object()) {
    const json& s = c.at("rope_scaling");
    l.rope_scaling.kind = s.at("rope_type") == "linear" ? RopeScaling::Kind::linear : RopeScaling::Kind::llama3;
    l.rope_scaling.factor = s.at("factor");
    l.rope_scaling.low_freq_factor = s.value("low_freq_factor", 1.0);
    l.rope_scaling.high_freq_factor = s.value("high_freq_factor", 4.0);
    l.rope_scaling.original_context = s.value("original_max_position_embeddings", 8192);
  }
  return std::make_unique<Llama>(l);
}

inline Built build(const std::string& name) {
  const json c = json_of(path(name) + "/config.json");
  Built b;
  b.gpt2 = c.at("model_type") == "gpt2";
  std::unique_ptr<Model> model = language_model(c);
  b.model = model.get();
  const RawFile file = weights(name);
  if (file.count("classifier.bias") || file.count("score.bias")) {
    model->output().take();
    const std::size_t count = static_cast<std::size_t>(file.at(b.gpt2 ? "classifier.bias" : "score.bias").shape[0]);
    auto tokens = std::make_unique<TokenClassifier>(std::move(model), std::vector<std::string>(count, "?"));
    b.token_classifier = tokens.get();
    b.root = std::move(tokens);
  } else if (file.count("score.weight")) {
    model->output().take();
    auto classifier = std::make_unique<Classifier>(
        std::move(model), std::vector<std::string>(static_cast<std::size_t>(file.at("score.weight").shape[0]), "?"),
        c.at("pad_token_id").get<Id>());
    b.classifier = classifier.get();
    b.root = std::move(classifier);
  } else {
    b.root = std::move(model);
  }
  for (const auto& p : b.root->parameters()) {
    const Numbers v = numbers_for(p.first, file, b.gpt2);
    p.second->set(Tensor(p.second->shape(), std::vector<real>(v.begin(), v.end())));
  }
  return b;
}

// --- what the models are to give ---------------------------------------------------------------------------------------

/// gpt2_bare and llama_sharded are gpt2 and llama in other files.
inline std::string golden_of(const std::string& name) {
  return path(name == "gpt2_bare" ? "gpt2" : name == "llama_sharded" ? "llama" : name) + "/golden.";
}
struct Golden {
  json data;
  RawFile tensors;
  explicit Golden(const std::string& name)
      : data(json_of(golden_of(name) + "json")),
        tensors(read_raw(golden_of(name) + "safetensors")) {}
};

inline Ids ids_of(const json& rows) {
  std::vector<Id> all;
  for (const json& row : rows)
    for (const json& id : row) all.push_back(id.get<Id>());
  return Ids({size_of(rows), static_cast<Index>(rows.at(0).size())}, all);
}
inline Ids row_of(const std::vector<Id>& ids) { return Ids({1, size_of(ids)}, ids); }

/// The largest difference, infinite if the sizes differ.
inline double apart(const Numbers& a, const Numbers& b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double d = std::abs(a[i] - b[i]);
    if (std::isnan(d)) return d;  // no bound holds it, and no later number hides it
    worst = std::max(worst, d);
  }
  return worst;
}
/// Rows [first, last) of the matrix x.
inline Numbers rows_of(const Tensor& x, Index first, Index last) {
  const Index n = x.cols();
  return {x.data() + first * n, x.data() + last * n};
}

/// All that are folders, and those of them whose goldens hold gradients.
inline const std::vector<std::string>& names() {
  static const std::vector<std::string> all = {"gpt2",
                                               "gpt2_bare",
                                               "gpt2_relu",
                                               "gpt2_gelu",
                                               "gpt2_classifier",
                                               "gpt2_token_classifier",
                                               "gpt2_f16",
                                               "llama",
                                               "llama_sharded",
                                               "llama_tied",
                                               "llama_bias",
                                               "llama_linear",
                                               "llama_llama3",
                                               "llama_classifier",
                                               "llama_token_classifier",
                                               "llama_bf16"};
  return all;
}

}  // namespace graft::fixture
