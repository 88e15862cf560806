// Llama (Touvron et al. 2023; grouped queries from Llama 2), as Hugging Face's LlamaForCausalLM: SmolLM2, Llama 3.2 and kin.
#pragma once
#include "nn/attention.h"
#include "nn/mlp.h"
#include "nn/model.h"

namespace graft {

/// Frequencies of rotary positions stretched for longer texts.
struct RopeScaling {
  enum class Kind { none, linear, llama3 } kind = Kind::none;
  double factor = 1, low_freq_factor = 1, high_freq_factor = 4;  ///< the last three for llama3
  Index original_context = 8192;
};

struct LlamaConfig {
  Index vocabulary = 49152, context = 8192, dim = 576, hidden = 1536, layers = 30, heads = 9, kv_heads = 3;
  Index head_dim = 0;  ///< 0: dim/heads
  std::string activation = "silu";
  real eps = real(1e-5);
  double rope_theta = 10000;
  RopeScaling rope_scaling;
  bool attention_bias = false, mlp_bias = false, tied = false;
  double attention_dropout = 0;  ///< kept for the files; graft drops no attention weights
};

/// x ↦ x + attn(norm(x)), then x ↦ x + mlp(x)
struct LlamaBlock : Module {
  Slot<RowMap> norm;
  Slot<Attention> attn;
  Slot<RowMap> mlp;

  LlamaBlock(const LlamaConfig& c, const Tensor& frequencies);
  std::string kind() const override { return "LlamaBlock"; }
};

struct Llama : Model {
  LlamaConfig config;
  Slot<Table> embed;
  List<LlamaBlock> layers;
  Slot<RowMap> norm;
  Slot<Projection> head;

  explicit Llama(const LlamaConfig& config);
  Llama(const Llama&) = delete;  // make a second one from the same config, and give it its own numbers
  void initialize(Rng& rng);  ///< N(0, 0.02), norms 1, biases 0
  std::string kind() const override;

  Slot<Table>& table() override { return embed; }
  Slot<Projection>& output() override { return head; }
  Index layer_count() const override { return config.layers; }
  Index context() const override { return config.context; }
  Index vocabulary() const override { return config.vocabulary; }
  Index width() const override { return config.dim; }

 protected:
  Variable forward(const Ids& ids, const Ids& positions, Past& past) override;
};

}  // namespace graft
