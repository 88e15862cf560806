#include "nn/generate.h"

#include <algorithm>

#include "autograd/interrupt.h"
#include "autograd/sizes.h"

namespace graft {

namespace {

void expect_prompts(const Model& model, const std::vector<std::vector<Id>>& prompts) {
  expect<ValueError>(!prompts.empty(), "generate: no prompts given; at least one is needed");
  for (std::size_t b = 0; b < prompts.size(); ++b) {
    expect<ValueError>(!prompts[b].empty(), "generate: prompt ", b, " is empty; give at least one token");
    for (const Id id : prompts[b])
      expect<IndexError>(0 <= id && id < model.vocabulary(), "generate: prompt ", b, " has the id ", id,
                         ", but the vocabulary has ", model.vocabulary());
  }
}

void expect_room(Model& model, const std::vector<std::vector<Id>>& prompts, Index max_tokens) {
  const Index room = model.free_positions();
  for (const auto& prompt : prompts) {
    const Index length = size_of(prompt);
    expect<IndexError>(length + max_tokens - 1 <= room, "generate: a prompt of ", length, " tokens and ", max_tokens,
                       " new ones do not fit into the context of ", model.context(), ", of which ", room,
                       " are left for them; use a shorter prompt or fewer tokens");
  }
}

/// The rows of the selection, if there are any, name the variant of each prompt; once some have ended, the batch is shorter.
class RowsOfSelection {
 public:
  RowsOfSelection(Model& model, Index batch) : model_(model), all_(model.selection().rows()) {
    expect(all_.empty() || size_of(all_) == batch, "generate: the selection names ", all_.size(),
           " rows for ", batch, " prompts");
  }
  ~RowsOfSelection() { show_all(); }
  RowsOfSelection(const RowsOfSelection&) = delete;
  RowsOfSelection& operator=(const RowsOfSelection&) = delete;
  void show_all() {
    if (reduced_) model_.select(Selection(all_));
    reduced_ = false;
  }
  void show(const std::vector<Index>& rows) {
    all_ = model_.selection().rows();  // the caller may have changed it
    if (all_.empty()) return;
    std::vector<std::string> running;
    for (const Index row : rows) running.push_back(all_.at(static_cast<std::size_t>(row)));
    model_.select(Selection(std::move(running)));
    reduced_ = true;
  }

 private:
  Model& model_;
  std::vector<std::string> all_;
  bool reduced_ = false;
};

/// The state at the end of each of these rows, prompt and what was written to it, (rows, 1, D); past is recomputed.
Variable from_start(Model& model, const std::vector<std::vector<Id>>& prompts, const std::vector<std::vector<Id>>& written,
                    const std::vector<Index>& rows, Index max_tokens, Past& past) {
  std::vector<std::vector<Id>> ids;
  for (const Index row : rows) {
    const std::size_t b = static_cast<std::size_t>(row);
    ids.push_back(prompts[b]);
    ids.back().insert(ids.back().end(), written[b].begin(), written[b].end());
  }
  Batch user = padded(ids);
  for (const Index row : rows) user.answers.push_back(size_of(nth(prompts, row)));
  const Templated start = model.prompt_template(user);
  const Index B = start.rows();
  const std::vector<Index> last = start.last();
  past = model.begin(B);
  const Index longest = past.longest() + *std::max_element(last.begin(), last.end()) + 1;
  past.reserve = longest + std::min<Index>(max_tokens, 256);  // it doubles when that is full
  // All at once, padded on the right: a row's padding is behind all that it attends to, and the next token overwrites it.
  const Variable x = rows_at(model.hidden(start, past), last);  // (B, D)
  return reshape(x, {B, 1, x.dim(-1)});
}

}  // namespace

std::vector<std::vector<Id>> generate(Model& model, const std::vector<std::vector<Id>>& prompts, const GenerateOptions& options,
                                      Rng& rng, const OnToken& on_token) {
  expect_prompts(model, prompts);
  expect<ValueError>(options.max_tokens >= 0, "generate: ", options.max_tokens, " tokens asked for");
  const NoGrad no_grad;
  const Evaluating no_dropout(model);
  const Index B = size_of(prompts), V = model.vocabulary();
  std::vector<std::vector<Id>> written(prompts.size()), seen(prompts);
  if (options.max_tokens == 0) return written;
  expect_room(model, prompts, options.max_tokens);
  std::vector<Rng> draws;
  for (Index b = 0; b < B; ++b) draws.push_back(rng.split());

  std::vector<Index> rows;  // of the prompts that still run; they are the rows of the batch
  for (Index b = 0; b < B; ++b) rows.push_back(b);
  RowsOfSelection chosen(model, B);
  Past past;
  Variable x = from_start(model, prompts, written, rows, options.max_tokens, past);
  for (;;) {
    heed_interrupt("generate");
    const Variable logits = model.output()(x);  // (rows, 1, V)
    std::vector<Index> kept, still;
    std::vector<Id> next;
    chosen.show_all();  // to the caller the selection is that of all prompts
    const Selection before = model.selection();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::size_t b = static_cast<std::size_t>(rows[i]);
      const Id token = sample(logits.value().data() + static_cast<Index>(i) * logits.dim(-1), std::min(V, logits.dim(-1)),
                              seen[b], options.sampling, draws[b]);
      written[b].push_back(token);
      seen[b].push_back(token);
      const bool goes_on = !on_token || on_token(rows[i], token);
      const bool ended = std::find(options.ends.begin(), options.ends.end(), token) != options.ends.end();
      if (!goes_on || ended || size_of(written[b]) == options.max_tokens) continue;
      kept.push_back(static_cast<Index>(i));
      still.push_back(rows[i]);
      next.push_back(token);
    }
    if (kept.empty()) return written;
    const bool switched = model.selection() != before;
    rows = std::move(still);
    chosen.show(rows);
    if (switched) {  // the cache was computed by another variant: recompute it from the ids
      expect_room(model, prompts, options.max_tokens);
      x = from_start(model, prompts, written, rows, options.max_tokens, past);
      continue;
    }
    if (size_of(kept) < x.dim(0)) past.keep_rows(kept);
    const Index count = size_of(next);
    x = model.hidden(Templated::raw(Ids({count, 1}, std::move(next))), past);
  }
}

std::vector<Id> generate_one(Model& model, const std::vector<Id>& prompt, const GenerateOptions& options, Rng& rng,
                             const OnToken& on_token) {
  return std::move(generate(model, std::vector<std::vector<Id>>{prompt}, options, rng, on_token)[0]);
}

}  // namespace graft
