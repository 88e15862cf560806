// Prefix tuning: Li & Liang 2021, "Prefix-tuning: optimizing continuous prompts for generation". P trained keys and values
// stand before the first token in every layer: attention sees [P_k; K], [P_v; V] (section 4.1). The tokens' positions continue
// after the prefix; its keys are never rotated (as in PEFT).
// Reparametrized (section 4.3): [P_k; P_v] = W₂·tanh(W₁·E + b₁) + b₂, which flatten() drops after training. The paper finds
// training the flat prefix unstable; PEFT's and P-tuning v2's default is flat, and so is ours. Not here: the fit of the MLP to
// activations by 500 steps of mean squared error, with which the paper's code starts one from words.
#pragma once
#include "peft/method.h"
#include "peft/wrapper.h"

namespace graft::peft {

struct PrefixTuning : Method {
  Index length = 10;    ///< P: the paper's 10 for table-to-text, 200 for summaries
  Index hidden = 0;     ///< width of the MLP (the paper: 512); 0: no MLP
  Index embedding = 0;  ///< width of E, for the MLP; 0: that of one layer's keys, G·d, as PEFT
  enum class Init { random, zero, words };
  Init init = Init::random;  ///< N(0, 1), as the paper's code and PEFT; 0; or the activations of `words` (section 7.4)
  std::vector<Id> words;     ///< as many as `length`, for Init::words: real words learn best where data is scarce
  real dropout = 0;          ///< on the keys and values while training, each row of the batch with a mask of its own

  static std::vector<MethodRow> rows();
  std::string kind() const override { return "prefix tuning"; }
  void graft(const BaseModel& base, const std::string& name, Rng& rng) const override;
};

/// The keys and values of all layers, flat (P, 2·L·G·d): column 2i·G·d begins layer i's keys, (2i + 1)·G·d its values.
struct PrefixPart {
  std::unique_ptr<Param> flat;                       ///< (P, 2·L·G·d), if there is no MLP
  std::unique_ptr<Param> embedding, W1, b1, W2, b2;  ///< (P, e), (h, e), (h), (2·L·G·d, h), (2·L·G·d)
  real dropout = 0;
  Index length() const { return (flat ? *flat : *embedding).shape()[0]; }
  Variable operator()() const;  ///< (P, 2·L·G·d), before dropout
};

struct Prefix : NamedWrapper<Memory, PrefixPart> {
  Index layers, heads, head_dim;  ///< L, G, d of keys and values

  Prefix(const Selection& selection, Index layers, Index heads, Index head_dim);
  std::string method() const override { return "prefix tuning"; }
  void flatten(const std::string& name) override;
  Index length() const override;  ///< the longest that is selected
  /// Errors: ShapeError if rows were chosen for another batch; ValueError for rows of different lengths, or some without a
  /// prefix, while gradients are recorded.
  Past operator()(Index batch) override;
  Index width() const { return heads * head_dim; }
  PrefixPart& add(const std::string& name, const PrefixTuning& options);
};

}  // namespace graft::peft
