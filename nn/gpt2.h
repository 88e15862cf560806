// GPT-2 (Radford et al. 2019, "Language models are unsupervised multitask learners"), as Hugging Face's GPT2LMHeadModel.
#pragma once
#include "nn/attention.h"
#include "nn/mlp.h"
#include "nn/model.h"

namespace graft {

struct Gpt2Config {
  Index vocabulary = 50257, context = 1024, dim = 768, layers = 12, heads = 12;
  Index hidden = 0;  ///< of the MLP; 0: 4·dim
  std::string activation = "gelu_new";
  real eps = real(1e-5);
  bool scale_by_layer = false;  ///< scale_attn_by_inverse_layer_idx: scores of layer i also over i + 1
  bool scale_scores = true;     ///< scale_attn_weights: scores over √d
  bool tied = true;
  real dropout = 0, embed_dropout = 0;
  double attention_dropout = 0;  ///< attn_pdrop: kept for the files; graft drops no attention weights
};

/// x ↦ x + attn(norm(x)), then x ↦ x + mlp(x)
struct Gpt2Block : Module {
  Slot<RowMap> norm;
  Slot<Attention> attn;
  Slot<RowMap> mlp;  ///< with its norm inside: a branch of the residual stream

  Gpt2Block(const Gpt2Config& c, Index layer);
  std::string kind() const override { return "Gpt2Block"; }
};

struct Gpt2 : Model {
  Gpt2Config config;
  Slot<Table> embed, positions;
  Slot<RowMap> drop;
  List<Gpt2Block> layers;
  Slot<RowMap> norm;
  Slot<Projection> head;

  /// The parameters have shapes but no numbers yet: load them, or initialize(). Errors: ValueError for sizes that do not fit.
  explicit Gpt2(const Gpt2Config& config);
  Gpt2(const Gpt2&) = delete;  // make a second one from the same config, and give it its own numbers
  void initialize(Rng& rng);  ///< N(0, 0.02), residual projections N(0, 0.02/√(2·layers)), norms 1, biases 0
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
