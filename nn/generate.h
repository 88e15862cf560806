// To read first: clear/generate.h, the same without a cache, in 20 lines.
// Generation: prompts in, tokens out as they come, with a key/value cache. Prompts of one batch may have different lengths.
#pragma once
#include <functional>
#include <vector>

#include "autograd/rng.h"
#include "nn/model.h"

namespace graft {

/// How the next token is chosen. Applied in this order, as in Hugging Face: penalty, temperature, top-k, top-p.
struct Sampling {
  double temperature = 0;         ///< 0: always the most likely token
  Index top_k = 0;                ///< only the k most likely; 0: all
  double top_p = 1;               ///< the smallest set with this total probability (Holtzman et al. 2020)
  double repetition_penalty = 1;  ///< logits of tokens that occurred: l/θ if l > 0, else l·θ (Keskar et al. 2019)
};
/// One token from logits[n]. seen: the ids that the penalty is for. Errors: ValueError for options out of range, or logits
/// that are all NaN or -inf.
Id sample(const real* logits, Index n, const std::vector<Id>& seen, const Sampling& sampling, Rng& rng);

struct GenerateOptions {
  Sampling sampling;
  Index max_tokens = 100;
  std::vector<Id> ends;  ///< a row ends with (and includes) any of these
};
/// Called with every new token; false ends that row.
using OnToken = std::function<bool(Index row, Id token)>;

/// The new tokens of each prompt, through the model's template. Row b draws from the b-th split of rng, so what is drawn for a
/// row does not depend on the others. on_token may change the model's selection: what was read is then read again, and the
/// next token is what a full forward under the new selection gives. Errors: ValueError for an empty prompt; IndexError for ids outside the vocabulary and
/// for prompt + max_tokens beyond the context.
std::vector<std::vector<Id>> generate(Model& model, const std::vector<std::vector<Id>>& prompts, const GenerateOptions& options,
                                      Rng& rng, const OnToken& on_token = {});
/// Of one prompt: for (Id id : generate_one(model, {1, 2, 3}, options, rng)) ..
std::vector<Id> generate_one(Model& model, const std::vector<Id>& prompt, const GenerateOptions& options, Rng& rng,
                             const OnToken& on_token = {});

}  // namespace graft
