#include "peft/prompt.h"

#include <algorithm>
#include <numeric>

#include "autograd/sizes.h"
#include "peft/inside/file_format.h"
#include "peft/registry.h"

namespace graft::peft {
namespace {

/// Rows of the vocabulary, none twice while there are enough.
std::vector<Id> drawn(Index count, Index vocabulary, Rng& rng) {
  std::vector<Id> all(static_cast<std::size_t>(vocabulary)), ids;
  std::iota(all.begin(), all.end(), Id(0));
  for (Index i = 0; i < count; ++i) {
    const Index at = i % vocabulary;
    std::swap(nth(all, at), nth(all, at + rng.below(vocabulary - at)));
    ids.push_back(nth(all, at));
  }
  return ids;
}

Tensor start(const PromptTuning& p, const BaseModel& base, Rng& rng) {
  using Init = PromptTuning::Init;
  const Index D = base.model.width(), V = base.model.vocabulary();
  const Shape shape{p.length, D};
  if (p.init == Init::random) return normal(shape, 0, 1, rng);
  if (p.init == Init::uniform) return uniform(shape, real(-0.5), real(0.5), rng);
  if (p.init == Init::text) {
    expect<ValueError>(!p.text.empty(), "prompt tuning: to start from a text, give its ids");
    std::vector<Id> ids;
    for (Index i = 0; i < p.length; ++i) ids.push_back(p.text[static_cast<std::size_t>(i) % p.text.size()]);
    return rows_of(base, ids);
  }
  Tensor rows = rows_of(base, drawn(p.length, std::min(V, p.most_common), rng)).clone();
  if (p.init == Init::vocabulary) return rows;
  expect<ValueError>(!p.labels.empty(), "prompt tuning: to start from labels, give the ids of each label's words");
  expect<ValueError>(size_of(p.labels) <= p.length, "prompt tuning: ", p.labels.size(),
                     " labels to start a prompt of ", p.length, " from; take a length of at least ", p.labels.size());
  real* to = rows.write();
  for (std::size_t i = 0; i < p.labels.size(); ++i) {
    expect<ValueError>(!p.labels[i].empty(), "prompt tuning: label ", i, " has no words to start from");
    const Tensor words = rows_of(base, p.labels[i]);
    for (Index d = 0; d < D; ++d) {
      real sum = 0;
      for (Index w = 0; w < words.rows(); ++w) sum += words[w * D + d];
      to[static_cast<Index>(i) * D + d] = sum / static_cast<real>(words.rows());
    }
  }
  return rows;
}

}  // namespace

void PromptTuning::graft(const BaseModel& base, const std::string& name, Rng& rng) const {
  expect<ValueError>(length > 0, kind(), ": a prompt of ", length, " tokens; at least 1 is needed");
  expect<ValueError>(most_common > 0, kind(), ": the first ", most_common, " rows of the vocabulary; at least 1 is needed");
  expect<ValueError>(length < base.model.context(), kind(), ": a prompt of ", length, " leaves nothing of the context of ",
                     base.model.context(), "; take a shorter one");
  const Tensor rows = start(*this, base, rng);
  graft_virtual_tokens(
      base, name, front_template(length),
      [&](VirtualTable& owner) {
        auto trained = std::make_unique<TrainedRows>(owner, name, length, base.model.width());
        trained->rows.set(rows);
        return trained;
      },
      kind());
}

namespace {
std::shared_ptr<const Method> make(OptionReader& options) {
  using Init = PromptTuning::Init;
  const auto prompt = std::make_shared<PromptTuning>();
  options.take("virtual", "how many virtual tokens", prompt->length, {1, 100000});
  options.take("init", "initialization", prompt->init,
               {{"vocabulary", Init::vocabulary},
                {"random", Init::random},
                {"uniform", Init::uniform},
                {"text", Init::text},
                {"labels", Init::labels}});
  prompt->text = options.words("text", "the words that initialize the virtual tokens");
  const bool from_text = prompt->init == Init::text;
  expect<ValueError>(from_text || !options.given("text"), "text is for init text only");
  expect<ValueError>(!from_text || !prompt->text.empty(), "init text: text must say which words");
  if (prompt->init == Init::labels) {
    expect<ValueError>(!options.labels().empty(), "init labels: the data has no labels");
    for (const std::string& label : options.labels()) prompt->labels.push_back(options.tokenizer().encode(" " + label));
  }
  return prompt;
}

Index prompts_of(OptionReader& options) {
  Index prompts = 5;
  options.take("prompts", "how many prompts", prompts, {2, 1000});
  return prompts;
}
}  // namespace

std::vector<MethodRow> PromptTuning::rows() {
  const std::string page = "docs/methods/prompt-tuning.md";
  std::vector<MethodRow> all{{"prompt", "prompt tuning", page, 1e-2, make, &soft_file},
                             {"ensemble", "prompt ensemble", page, 1e-2, make, &soft_file}};
  all.back().copies = prompts_of;
  return all;
}

}  // namespace graft::peft
