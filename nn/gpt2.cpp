#include "nn/gpt2.h"

#include <cmath>

#include "autograd/sizes.h"
#include "nn/initialize.h"
#include "nn/layers.h"

namespace graft {
namespace {

const Gpt2Config& checked(const Gpt2Config& c) {
  expect<ValueError>(c.vocabulary > 0 && c.context > 0 && c.dim > 0 && c.layers >= 0 && c.heads > 0 && c.hidden >= 0,
                     "Gpt2: sizes must be positive: vocabulary ", c.vocabulary, ", context ", c.context, ", dim ", c.dim,
                     ", layers ", c.layers, ", heads ", c.heads);
  for (const Index n : {c.vocabulary, c.context, c.dim, c.hidden, c.layers, c.heads})
    expect<ValueError>(n < Index(1) << 31, "Gpt2: a size of ", n, " is beyond 2^31");
  expect<ValueError>(c.eps >= 0 && c.eps < 1, "Gpt2: eps is ", c.eps, ", but must be in [0, 1)");
  for (const real p : {c.dropout, c.embed_dropout})
    expect<ValueError>(0 <= p && p < 1, "Gpt2: the dropout rate is ", p, ", but must be in [0, 1)");
  expect<ValueError>(0 <= c.attention_dropout && c.attention_dropout <= 1, "Gpt2: attention_dropout is ", c.attention_dropout,
                     ", but must be in [0, 1]");
  expect<ValueError>(c.dim % c.heads == 0, "Gpt2: ", c.dim, " features cannot be cut into ", c.heads, " heads evenly");
  return c;
}

AttentionSizes attention_sizes(const Gpt2Config& c, Index layer) {
  AttentionSizes s{c.dim, c.heads, c.heads, c.dim / c.heads, true, true, {}, 0, c.dropout};
  real scale = c.scale_scores ? 1 / std::sqrt(static_cast<real>(s.head_dim)) : 1;
  if (c.scale_by_layer) scale /= static_cast<real>(layer + 1);
  s.scale = scale;
  return s;
}

}  // namespace

Gpt2Block::Gpt2Block(const Gpt2Config& c, Index layer)
    : norm(*this, "norm", std::make_unique<LayerNorm>(c.dim, c.eps)),
      attn(*this, "attn", std::make_unique<Attention>(attention_sizes(c, layer))),
      mlp(*this, "mlp",
          std::make_unique<Mlp>(c.dim, c.hidden ? c.hidden : 4 * c.dim, std::make_unique<LayerNorm>(c.dim, c.eps),
                                activation(c.activation), true, c.dropout)) {}

Gpt2::Gpt2(const Gpt2Config& c)
    : config(checked(c)),
      embed(*this, "embed", std::make_unique<Embedding>(c.vocabulary, c.dim)),
      positions(*this, "positions", std::make_unique<Embedding>(c.context, c.dim)),
      drop(*this, "drop", c.embed_dropout > 0 ? std::make_unique<Dropout>(c.embed_dropout) : nullptr),
      layers(*this, "layers"),
      norm(*this, "norm", std::make_unique<LayerNorm>(c.dim, c.eps)),
      head(*this, "head", c.tied ? tied_head(*embed) : std::make_unique<Linear>(c.dim, c.vocabulary, false)) {
  for (Index i = 0; i < c.layers; ++i) layers.add(std::make_unique<Gpt2Block>(c, i));
}

Variable Gpt2::forward(const Ids& ids, const Ids& places, Past& past) {
  Variable x = embed(ids) + positions(places);  // (B, T, D)
  if (!drop.empty()) x = drop(x);
  for (Index i = 0; i < layers.size(); ++i) x = through(layers[i], x, places, nth(past.layers, i), past);
  return norm(x);
}

std::string Gpt2::kind() const {
  return text("Gpt2, ", config.layers, " layers, ", config.dim, " wide, vocabulary ", config.vocabulary, ", context ",
              config.context);
}

void Gpt2::initialize(Rng& rng) {
  const real narrow = real(0.02) / std::sqrt(static_cast<real>(2 * config.layers));
  initialize_weights(
      *this,
      [&](const std::string& path) {
        return ends_with(path, "attn.out.weight") || ends_with(path, "mlp.down.weight") ? narrow : real(0.02);
      },
      rng);
}

}  // namespace graft
