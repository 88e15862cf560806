#include "nn/llama.h"

#include <cmath>

#include "autograd/sizes.h"
#include "nn/initialize.h"
#include "nn/layers.h"

namespace graft {
namespace {

constexpr double pi = 3.14159265358979323846;

LlamaConfig checked(LlamaConfig c) {
  expect<ValueError>(c.vocabulary > 0 && c.context > 0 && c.dim > 0 && c.hidden > 0 && c.layers >= 0 && c.heads > 0 &&
                         c.kv_heads > 0 && c.head_dim >= 0,
                     "Llama: sizes must be positive: vocabulary ", c.vocabulary, ", context ", c.context, ", dim ", c.dim,
                     ", hidden ", c.hidden, ", layers ", c.layers, ", heads ", c.heads, ", key heads ", c.kv_heads);
  for (const Index n : {c.vocabulary, c.context, c.dim, c.hidden, c.layers, c.heads, c.kv_heads, c.head_dim})
    expect<ValueError>(n < Index(1) << 31, "Llama: a size of ", n, " is beyond 2^31");
  expect<ValueError>(c.eps >= 0 && c.eps < 1, "Llama: eps is ", c.eps, ", but must be in [0, 1)");
  expect<ValueError>(0 <= c.attention_dropout && c.attention_dropout <= 1, "Llama: attention_dropout is ", c.attention_dropout,
                     ", but must be in [0, 1]");
  expect<ValueError>(c.head_dim > 0 || c.dim % c.heads == 0, "Llama: ", c.dim, " features cannot be cut into ", c.heads,
                     " heads evenly");
  if (c.head_dim == 0) c.head_dim = c.dim / c.heads;
  expect<ValueError>(c.head_dim <= 65536, "Llama: heads of ", c.head_dim, " are beyond 65536");
  const RopeScaling& s = c.rope_scaling;
  expect<ValueError>(std::isfinite(s.factor) && s.low_freq_factor < s.high_freq_factor, "Llama: rope_scaling with factor ",
                     s.factor, ", low_freq_factor ", s.low_freq_factor, " and high_freq_factor ", s.high_freq_factor,
                     "; the first must be finite, the second below the third");
  expect<ValueError>(c.heads % c.kv_heads == 0, "Llama: ", c.heads, " query heads cannot share ", c.kv_heads,
                     " key heads evenly");
  expect<ValueError>(c.rope_theta > 0 && c.rope_theta < 1e30 && c.rope_scaling.factor > 0, "Llama: rope_theta ", c.rope_theta,
                     " and the factor ", c.rope_scaling.factor, " of rope_scaling must be positive");
  return c;
}

/// θⱼ, stretched: linear divides all by the factor (Chen et al. 2023); llama3 only the slow ones, whose wave does not fit
/// into the original context, with a smooth passage between (Llama 3.1, as transformers' "llama3").
Tensor frequencies(const LlamaConfig& c) {
  Tensor theta = rotary_frequencies(c.head_dim, static_cast<real>(c.rope_theta));
  const RopeScaling& s = c.rope_scaling;
  if (s.kind == RopeScaling::Kind::none) return theta;
  real* t = theta.write();
  for (Index j = 0; j < theta.numel(); ++j) {
    const double waves = static_cast<double>(s.original_context) * t[j] / (2 * pi);  // turns within the original context
    double keep = 0;                                                                 // 1: unchanged, 0: divided by the factor
    if (s.kind == RopeScaling::Kind::llama3) {
      const double between = (waves - s.low_freq_factor) / (s.high_freq_factor - s.low_freq_factor);
      keep = waves > s.high_freq_factor ? 1 : waves < s.low_freq_factor ? 0 : between;
    }
    t[j] = static_cast<real>((1 - keep) * t[j] / s.factor + keep * t[j]);
  }
  return theta;
}

}  // namespace

LlamaBlock::LlamaBlock(const LlamaConfig& c, const Tensor& frequencies)
    : norm(*this, "norm", std::make_unique<RmsNorm>(c.dim, c.eps)),
      attn(*this, "attn",
           std::make_unique<Attention>(
               AttentionSizes{c.dim, c.heads, c.kv_heads, c.head_dim, c.attention_bias, c.attention_bias, frequencies, 0, 0})),
      mlp(*this, "mlp",
          std::make_unique<GatedMlp>(c.dim, c.hidden, std::make_unique<RmsNorm>(c.dim, c.eps), activation(c.activation),
                                     c.mlp_bias)) {}

Llama::Llama(const LlamaConfig& c)
    : config(checked(c)),
      embed(*this, "embed", std::make_unique<Embedding>(c.vocabulary, c.dim)),
      layers(*this, "layers"),
      norm(*this, "norm", std::make_unique<RmsNorm>(c.dim, c.eps)),
      head(*this, "head", c.tied ? tied_head(*embed) : std::make_unique<Linear>(c.dim, c.vocabulary, false)) {
  const Tensor theta = frequencies(config);
  for (Index i = 0; i < c.layers; ++i) layers.add(std::make_unique<LlamaBlock>(config, theta));
}

Variable Llama::forward(const Ids& ids, const Ids& positions, Past& past) {
  Variable x = embed(ids);  // (B, T, D)
  for (Index i = 0; i < layers.size(); ++i)
    x = through(layers[i], x, positions, nth(past.layers, i), past);
  return norm(x);
}

std::string Llama::kind() const {
  return text("Llama, ", config.layers, " layers, ", config.dim, " wide, vocabulary ", config.vocabulary, ", context ",
              config.context);
}

void Llama::initialize(Rng& rng) {
  initialize_weights(
      *this, [](const std::string&) { return real(0.02); }, rng);
}

}  // namespace graft
