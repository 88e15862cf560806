#include "nn/config.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "nn/inside/config_reader.h"

namespace graft {
namespace {

using nlohmann::json;

Gpt2Config gpt2(const ConfigReader& c) {
  Gpt2Config g;
  g.vocabulary = c.size("vocab_size");
  g.context = c.size("n_positions");
  g.dim = c.size("n_embd");
  g.layers = c.size("n_layer");
  g.heads = c.size("n_head");
  g.hidden = c.size("n_inner", 0);
  g.activation = c.word("activation_function", "gelu_new");
  g.eps = static_cast<real>(c.number("layer_norm_epsilon", 1e-5));
  g.scale_scores = c.flag("scale_attn_weights", true);
  g.scale_by_layer = c.flag("scale_attn_by_inverse_layer_idx", false);
  g.tied = c.flag("tie_word_embeddings", true);
  g.dropout = static_cast<real>(c.number("resid_pdrop", 0.1));
  g.embed_dropout = static_cast<real>(c.number("embd_pdrop", 0.1));
  g.attention_dropout = c.number("attn_pdrop", 0.1);
  c.only("add_cross_attention", false);
  return g;
}

/// "rope_scaling", or "rope_parameters" as transformers 5 has it.
RopeScaling rope_scaling(const ConfigReader& c, const std::string& field) {
  RopeScaling s;
  if (!c.has(field.c_str())) return s;
  const ConfigReader r = c.inner(field);
  const std::string kind = r.word(r.has("rope_type") ? "rope_type" : "type", "default");
  if (kind == "default") return s;
  c.expect_one_of(field + ".rope_type", kind, {"default", "linear", "llama3"});
  s.kind = kind == "linear" ? RopeScaling::Kind::linear : RopeScaling::Kind::llama3;
  s.factor = r.number("factor");
  if (s.kind == RopeScaling::Kind::llama3) {
    s.low_freq_factor = r.number("low_freq_factor");
    s.high_freq_factor = r.number("high_freq_factor");
    s.original_context = r.size("original_max_position_embeddings");
  }
  return s;
}

LlamaConfig llama(const ConfigReader& c) {
  LlamaConfig l;
  l.vocabulary = c.size("vocab_size");
  l.context = c.size("max_position_embeddings");
  l.dim = c.size("hidden_size");
  l.hidden = c.size("intermediate_size");
  l.layers = c.size("num_hidden_layers");
  l.heads = c.size("num_attention_heads");
  l.kv_heads = c.size("num_key_value_heads", l.heads);
  l.head_dim = c.size("head_dim", 0);
  l.activation = c.word("hidden_act", "silu");
  l.eps = static_cast<real>(c.number("rms_norm_eps", 1e-6));
  const bool new_style = c.has("rope_parameters");  // of transformers 5: theta and scaling in one object
  if (new_style && (c.has("rope_theta") || c.has("rope_scaling")))
    c.refuse("rope_parameters", "given beside rope_theta or rope_scaling");
  l.rope_theta = new_style ? c.inner("rope_parameters").number("rope_theta", 10000) : c.number("rope_theta", 10000);
  l.rope_scaling = rope_scaling(c, new_style ? "rope_parameters" : "rope_scaling");
  const ConfigReader rope = new_style ? c.inner("rope_parameters") : c;
  if (rope.number("partial_rotary_factor", 1) != 1) c.refuse("partial_rotary_factor", "other than 1");
  l.attention_bias = c.flag("attention_bias", false);
  l.mlp_bias = c.flag("mlp_bias", false);
  l.attention_dropout = c.number("attention_dropout", 0);
  l.tied = c.flag("tie_word_embeddings", false);
  return l;
}

std::vector<std::string> labels(const ConfigReader& c) {
  if (!c.has("id2label")) {
    const Index n = c.size("num_labels", 2);
    if (n > 100000) c.refuse("num_labels", "more than 100000");
    std::vector<std::string> names;
    for (Index i = 0; i < n; ++i) names.push_back(text("LABEL_", i));
    return names;
  }
  const ConfigReader map = c.inner("id2label");
  if (map.entries() == 0) c.refuse("id2label", "empty");
  std::vector<std::string> names;
  for (Index i = 0; i < map.entries(); ++i) names.push_back(map.word(std::to_string(i)));
  return names;
}

json written(const Gpt2Config& g) {
  return {{"model_type", "gpt2"},
          {"vocab_size", g.vocabulary},
          {"n_positions", g.context},
          {"n_embd", g.dim},
          {"n_layer", g.layers},
          {"n_head", g.heads},
          {"n_inner", g.hidden ? json(g.hidden) : json(nullptr)},
          {"activation_function", g.activation},
          {"layer_norm_epsilon", static_cast<double>(g.eps)},
          {"scale_attn_weights", g.scale_scores},
          {"scale_attn_by_inverse_layer_idx", g.scale_by_layer},
          {"tie_word_embeddings", g.tied},
          {"resid_pdrop", static_cast<double>(g.dropout)},
          {"embd_pdrop", static_cast<double>(g.embed_dropout)},
          {"attn_pdrop", g.attention_dropout}};
}

json written(const LlamaConfig& l) {
  json j = {{"model_type", "llama"},
            {"vocab_size", l.vocabulary},
            {"max_position_embeddings", l.context},
            {"hidden_size", l.dim},
            {"intermediate_size", l.hidden},
            {"num_hidden_layers", l.layers},
            {"num_attention_heads", l.heads},
            {"num_key_value_heads", l.kv_heads},
            {"head_dim", l.head_dim},
            {"hidden_act", l.activation},
            {"rms_norm_eps", static_cast<double>(l.eps)},
            {"rope_theta", l.rope_theta},
            {"rope_scaling", nullptr},
            {"attention_bias", l.attention_bias},
            {"mlp_bias", l.mlp_bias},
            {"attention_dropout", l.attention_dropout},
            {"tie_word_embeddings", l.tied}};
  const RopeScaling& s = l.rope_scaling;
  if (s.kind == RopeScaling::Kind::linear) j["rope_scaling"] = {{"rope_type", "linear"}, {"factor", s.factor}};
  if (s.kind == RopeScaling::Kind::llama3)
    j["rope_scaling"] = {{"rope_type", "llama3"},
                         {"factor", s.factor},
                         {"low_freq_factor", s.low_freq_factor},
                         {"high_freq_factor", s.high_freq_factor},
                         {"original_max_position_embeddings", s.original_context}};
  return j;
}

}  // namespace

ModelConfig read_config(const std::string& text, const std::string& source) {
  const json tree = parse_config(text, source);
  const ConfigReader c(tree, source, "");
  ModelConfig config;
  const std::string type = c.word("model_type");
  c.expect_one_of("model_type", type, {"gpt2", "llama"});
  if (type == "gpt2") config.sizes = gpt2(c);
  else config.sizes = llama(c);

  const std::string prefix = type == "gpt2" ? "GPT2" : "Llama";
  const std::string head = type == "gpt2" ? "LMHeadModel" : "ForCausalLM";
  const std::string architecture = c.first_word("architectures", prefix + head);
  c.expect_one_of("architectures", architecture,
                  {prefix + head, prefix + "ForSequenceClassification", prefix + "ForTokenClassification", prefix + "Model"});
  if (architecture == prefix + "ForSequenceClassification") config.head = ModelConfig::Head::sequence;
  if (architecture == prefix + "ForTokenClassification") config.head = ModelConfig::Head::token;
  if (config.head != ModelConfig::Head::language) config.labels = labels(c);
  if (config.head == ModelConfig::Head::token)
    config.head_dropout = static_cast<real>(c.number("classifier_dropout", c.number("hidden_dropout", 0.1)));
  config.problem = c.word("problem_type", "");
  if (!config.problem.empty())
    c.expect_one_of("problem_type", config.problem,
                    {"regression", "single_label_classification", "multi_label_classification"});
  const Index vocabulary = std::visit([](const auto& sizes) { return sizes.vocabulary; }, config.sizes);
  config.bos = c.token("bos_token_id", vocabulary);
  config.ends = c.tokens("eos_token_id", vocabulary);
  config.pad = c.token("pad_token_id", vocabulary);
  return config;
}

std::string write_config(const ModelConfig& config, const std::string& dtype) {
  json j = std::visit([](const auto& sizes) { return written(sizes); }, config.sizes);
  const bool is_gpt2 = std::holds_alternative<Gpt2Config>(config.sizes);
  const std::string prefix = is_gpt2 ? "GPT2" : "Llama";
  const std::string head = config.head == ModelConfig::Head::sequence ? "ForSequenceClassification"
                           : config.head == ModelConfig::Head::token  ? "ForTokenClassification"
                           : is_gpt2                                  ? "LMHeadModel"
                                                                      : "ForCausalLM";
  j["architectures"] = json::array({prefix + head});
  j["dtype"] = j["torch_dtype"] = dtype;  // the new name and the old one
  const auto token = [](Id id) { return id < 0 ? json(nullptr) : json(id); };
  j["bos_token_id"] = token(config.bos);
  j["eos_token_id"] = config.ends.size() > 1 ? json(config.ends) : token(config.ends.empty() ? -1 : config.ends[0]);
  j["pad_token_id"] = token(config.pad);
  if (!config.problem.empty()) j["problem_type"] = config.problem;
  if (config.head == ModelConfig::Head::token) j["classifier_dropout"] = static_cast<double>(config.head_dropout);
  if (config.head != ModelConfig::Head::language) {
    json names = json::object(), ids = json::object();
    for (std::size_t i = 0; i < config.labels.size(); ++i) {
      names[std::to_string(i)] = config.labels[i];
      ids[config.labels[i]] = i;
    }
    j["id2label"] = names;
    j["label2id"] = ids;
  }
  return j.dump(2) + "\n";
}

std::unique_ptr<Model> make_model(const ModelConfig& config) {
  if (const auto* c = std::get_if<Gpt2Config>(&config.sizes)) return std::make_unique<Gpt2>(*c);
  return std::make_unique<Llama>(std::get<LlamaConfig>(config.sizes));
}

}  // namespace graft
