// P-tuning (v1): Liu et al. 2021, "GPT understands, too". Virtual tokens at any place of a template; their rows come from a small
// network over trained inputs e:  h_i = MLP([LSTM→(e)_i; LSTM←(e)_i])  (eq. 6). After training flatten() keeps just the rows.
// Existing encoders: the paper's code (LAMA) has an LSTM of d/2 per direction and d → d ReLU d → d; PEFT an LSTM of h
// per direction and 2h → 2h ReLU 2h → d, or by default only an MLP of three layers, and virtual tokens in front only.
// A model that generates answers by label words (verbalizer.h) or, inside a Classifier, by its head.
#pragma once
#include "peft/prompt_template.h"

namespace graft::peft {

struct PTuning : Method {
  /// From parse_template(); the paper's are [v]*3 {sentence} [v]*3 [answer] and the like.
  PromptTemplate prompt_template = front_template(9);
  enum class Encoder { lstm, mlp, none };
  Encoder encoder = Encoder::lstm;
  enum class Flavour { paper, peft };
  Flavour flavour = Flavour::paper;  ///< paper: LSTM of D/2, MLP D → D → D, `hidden` not used
  Index hidden = 0;                  ///< h; 0: D (PEFT)
  Index layers = 2;                  ///< of the LSTM
  /// The virtual tokens begin as the rows of these words of a hand-written template, one for each; empty: N(0, 1). With an
  /// encoder that is its input e, not its output.
  std::vector<Id> words;

  static std::vector<MethodRow> rows();
  std::string kind() const override { return "P-tuning"; }
  void graft(const BaseModel& base, const std::string& name, Rng& rng) const override;
};

/// e (P, D) -> [LSTM] -> linear, ReLU, linear, ... -> (P, D). Parameters are named as in PEFT: embedding, lstm_head, mlp_head.
struct PromptEncoder : VirtualRows {
  Param embedding;
  std::unique_ptr<Slot<RowMap>> lstm;
  std::vector<std::unique_ptr<Param>> weights, biases;

  PromptEncoder(Module& owner, const std::string& name, const PTuning& options, Index dim, Rng& rng);
  Variable operator()() const override;
  bool flat() const override { return false; }
  bool learns() const override { return embedding.learns(); }
};

}  // namespace graft::peft
