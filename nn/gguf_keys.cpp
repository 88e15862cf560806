// A list of what is harmless, not of what is forbidden: the next key that changes numbers is not known today.
// Meanings: github.com/ggml-org/ggml, docs/gguf.md, and llama.cpp's src/llama-model.cpp and src/llama-arch.cpp.
#include "nn/inside/gguf_keys.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "autograd/errors.h"

namespace graft {
namespace {

using formats::Gguf;
using formats::GgufValue;

/// Prefixes of keys that do not affect the model: names and licences, how it was quantized and by whom, templates for chats.
const char* const harmless_beginnings[] = {"general.", "tokenizer.chat_template", "quantize.", "imatrix.", "mradermacher."};

const std::set<std::string> harmless = {
    // read by the loader
    "llama.block_count", "llama.context_length", "llama.embedding_length", "llama.feed_forward_length", "llama.vocab_size",
    "llama.attention.head_count", "llama.attention.head_count_kv", "llama.attention.key_length", "llama.attention.value_length",
    "llama.attention.layer_norm_rms_epsilon", "llama.rope.dimension_count", "llama.rope.freq_base", "llama.rope.scaling.type",
    "llama.rope.scaling.factor", "llama.rope.scale_linear",
    // of kinds of scaling, of norms and of outputs that this model does not have
    "llama.rope.scaling.original_context_length", "llama.rope.scaling.finetuned", "llama.rope.scaling.yarn_ext_factor",
    "llama.rope.scaling.yarn_attn_factor", "llama.rope.scaling.yarn_beta_fast", "llama.rope.scaling.yarn_beta_slow",
    "llama.rope.scaling.yarn_log_multiplier", "llama.attention.layer_norm_epsilon", "llama.pooling_type",
    // the tokenizer's
    "tokenizer.ggml.model", "tokenizer.ggml.pre", "tokenizer.ggml.tokens", "tokenizer.ggml.token_type",
    "tokenizer.ggml.token_type_count", "tokenizer.ggml.scores", "tokenizer.ggml.merges", "tokenizer.ggml.bos_token_id",
    "tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id",
    "tokenizer.ggml.unknown_token_id", "tokenizer.ggml.separator_token_id", "tokenizer.ggml.seperator_token_id",
    "tokenizer.ggml.padding_token_id", "tokenizer.ggml.cls_token_id", "tokenizer.ggml.mask_token_id",
    "tokenizer.ggml.prefix_token_id", "tokenizer.ggml.suffix_token_id", "tokenizer.ggml.middle_token_id",
    "tokenizer.ggml.fim_pre_token_id", "tokenizer.ggml.fim_suf_token_id", "tokenizer.ggml.fim_mid_token_id",
    "tokenizer.ggml.fim_pad_token_id", "tokenizer.ggml.fim_rep_token_id", "tokenizer.ggml.fim_sep_token_id",
    "tokenizer.ggml.add_bos_token", "tokenizer.ggml.add_eos_token", "tokenizer.huggingface.json",
    // of a file that was in parts; that all tensors are there is checked by themselves
    "split.no", "split.tensors.count"};

/// The values that turn off what the key is for.
const std::map<std::string, std::vector<double>> off = {
    {"llama.rope.scaling.attn_factor", {1}},
    {"llama.logit_scale", {0, 1}},
    {"llama.embedding_scale", {0, 1}},
    {"llama.residual_scale", {0, 1}},
    {"llama.attention.causal", {1}},
    {"llama.attention.clamp_kqv", {0}},
    {"llama.attention.max_alibi_bias", {0}},
    {"llama.attention.scale", {0}},
    {"llama.attention.sliding_window", {0}},
    {"llama.attn_logit_softcapping", {0}},
    {"llama.final_logit_softcapping", {0}},
    {"llama.use_parallel_residual", {0}},
    {"llama.expert_count", {0}},
    {"llama.expert_used_count", {0}},
    {"llama.expert_shared_count", {0}},
    {"tokenizer.ggml.add_space_prefix", {0}},
    {"tokenizer.ggml.add_sep_token", {0}},
    {"tokenizer.ggml.remove_extra_whitespaces", {0}},
    {"split.count", {0, 1}},
};

double number(const GgufValue& value) {
  return std::visit(
      [](const auto& v) {
        using V = std::decay_t<decltype(v)>;
        if constexpr (std::is_arithmetic_v<V>) return static_cast<double>(v);
        else return std::nan("");
      },
      value);
}

std::string shown(const GgufValue& value) {
  return std::visit(
      [](const auto& v) -> std::string {
        using V = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<V, bool>) return v ? "true" : "false";
        else if constexpr (std::is_arithmetic_v<V>) return text(v);
        else if constexpr (std::is_same_v<V, std::string>) return "\"" + v.substr(0, 60) + (v.size() > 60 ? "..\"" : "\"");
        else return text("a list of ", v.size());
      },
      value);
}

bool is_off(const Gguf& g, const std::string& key, const GgufValue& value, double head_dim) {
  const double x = number(value);
  const auto known = off.find(key);
  if (known != off.end() && std::find(known->second.begin(), known->second.end(), x) != known->second.end()) return true;
  if (key == "llama.attention.scale") return std::abs(x * std::sqrt(head_dim) - 1) < 1e-6;  // the default anyway
  if (key == "llama.attention.sliding_window") return x >= static_cast<double>(g.integer("llama.context_length"));
  // llama.cpp's converter wrote this for rows in the order in which its loader takes all of them
  if (key == "llama.tensor_data_layout") return value == GgufValue(std::string("Meta AI original pth"));
  // there are no experts: expert_count is 0 or missing
  return key.rfind("llama.expert_", 0) == 0 && known == off.end() && g.integer("llama.expert_count", 0) == 0;
}

}  // namespace

void expect_known_keys(const Gguf& g, double head_dim) {
  for (const auto& [key, value] : g.values()) {
    const auto begins = [k = &key](const char* with) { return k->rfind(with, 0) == 0; };
    if (harmless.count(key) != 0 || std::any_of(std::begin(harmless_beginnings), std::end(harmless_beginnings), begins))
      continue;
    if (is_off(g, key, value, head_dim)) continue;
    const auto known = off.find(key);
    std::string values;
    if (known != off.end())
      for (const double x : known->second) values += (values.empty() ? "" : " or ") + text(x);
    throw FormatError(known != off.end() ? text(g.path(), ": the key ", key, " is ", shown(value),
                                                ", which graft does not compute; it computes only ", values)
                                         : text(g.path(), ": the key ", key, " is ", shown(value),
                                                ", and graft does not know whether that changes the model's numbers; if it "
                                                "does not, make a file without it (llama.cpp's gguf_new_metadata.py "
                                                "--remove-metadata ",
                                                key, ")"));
  }
}

}  // namespace graft
