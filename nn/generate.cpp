#include "nn/generate.h"

#include <algorithm>

namespace graft {

Framed padded(const std::vector<std::vector<Id>>& rows, Id pad) {
  Framed f;
  Index longest = 0;
  for (const auto& row : rows) {
    f.lengths.push_back(static_cast<Index>(row.size()));
    longest = std::max(longest, f.lengths.back());
  }
  const Index B = static_cast<Index>(rows.size());
  std::vector<Id> ids(static_cast<std::size_t>(B * longest), pad);
  for (std::size_t b = 0; b < rows.size(); ++b)
    std::copy(rows[b].begin(), rows[b].end(), ids.begin() + static_cast<std::ptrdiff_t>(b) * longest);
  f.ids = Ids({B, longest}, std::move(ids));
  return f;
}

namespace {

/// The rows of x (B, T, D) that stand at the end of each prompt, (B, 1, D).
Variable ends_of(const Variable& x, const std::vector<Index>& lengths) {
  const Index B = x.dim(0), T = x.dim(1), D = x.dim(2);
  std::vector<Id> last;
  for (Index b = 0; b < B; ++b) last.push_back(static_cast<Id>(b * T + lengths[static_cast<std::size_t>(b)] - 1));
  return reshape(lookup(reshape(x, {B * T, D}), Ids({B}, std::move(last))), {B, 1, D});
}

void expect_prompts(const Model& model, const std::vector<std::vector<Id>>& prompts) {
  expect<ValueError>(!prompts.empty(), "generate: no prompts given; at least one is needed");
  for (std::size_t b = 0; b < prompts.size(); ++b) {
    expect<ValueError>(!prompts[b].empty(), "generate: prompt ", b, " is empty; give at least one token");
    for (const Id id : prompts[b])
      expect<IndexError>(0 <= id && id < model.vocabulary(), "generate: prompt ", b, " has the id ", id,
                         ", but the vocabulary has ", model.vocabulary());
  }
}

}  // namespace

std::vector<std::vector<Id>> generate(Model& model, const std::vector<std::vector<Id>>& prompts, const GenerateOptions& options,
                                      Rng& rng, const OnToken& on_token) {
  expect_prompts(model, prompts);
  expect<ValueError>(options.max_tokens >= 0, "generate: ", options.max_tokens, " tokens asked for");
  const NoGrad no_grad;
  const Evaluating no_dropout(model);
  const Index B = static_cast<Index>(prompts.size()), V = model.vocabulary();
  Framed start = model.frame(padded(prompts));
  if (start.lengths.empty()) start.lengths.assign(static_cast<std::size_t>(B), start.ids.shape()[1]);
  Past past = model.begin(B);
  const Index taken = past.longest(), longest = *std::max_element(start.lengths.begin(), start.lengths.end());
  expect<IndexError>(taken + longest + options.max_tokens - (options.max_tokens > 0) <= model.context(),
                     "generate: ", taken + longest, " positions for the prompt and ", options.max_tokens,
                     " new tokens do not fit into the context of ", model.context(), "; use a shorter prompt or fewer tokens");
  past.reserve = taken + longest + std::min<Index>(options.max_tokens, 256);  // it doubles when that is full

  std::vector<std::vector<Id>> written(prompts.size()), seen(prompts);
  if (options.max_tokens == 0) return written;
  std::vector<Rng> draws;
  for (Index b = 0; b < B; ++b) draws.push_back(rng.split());

  // The prompts at once, padded on the right: a row's padding is behind all that it looks at, and the next token is put
  // over it.
  const std::vector<Index> before = past.lengths;
  Variable x = ends_of(model.hidden(start.ids, past), start.lengths);
  past.lengths = before;
  past.advance(start.lengths);

  std::vector<Index> rows;  // of the prompts that still run; they are the rows of the batch
  for (Index b = 0; b < B; ++b) rows.push_back(b);
  for (;;) {
    const Variable logits = model.output()(x);  // (rows, 1, V)
    std::vector<Index> kept, still;
    std::vector<Id> next;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::size_t b = static_cast<std::size_t>(rows[i]);
      const Id token = sample(logits.value().data() + static_cast<Index>(i) * logits.dim(-1), std::min(V, logits.dim(-1)),
                              seen[b], options.sampling, draws[b]);
      written[b].push_back(token);
      seen[b].push_back(token);
      const bool goes_on = !on_token || on_token(rows[i], token);
      const bool ended = std::find(options.ends.begin(), options.ends.end(), token) != options.ends.end();
      if (!goes_on || ended || static_cast<Index>(written[b].size()) == options.max_tokens) continue;
      kept.push_back(static_cast<Index>(i));
      still.push_back(rows[i]);
      next.push_back(token);
    }
    if (kept.empty()) return written;
    if (kept.size() < rows.size()) past.keep_rows(kept);
    rows = std::move(still);
    const Index count = static_cast<Index>(next.size());
    x = model.hidden(Ids({count, 1}, std::move(next)), past);
  }
}

}  // namespace graft
