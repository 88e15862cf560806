#include "tune/task.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "autograd/sizes.h"
#include "peft/ensemble.h"
#include "tune/classes.h"

namespace graft::tune {

Task::Task(const peft::BaseModel& model, train::Dataset examples, train::Dataset validation, Index batch, Rng& rng,
           std::vector<std::string> prompts)
    : base(model),
      data(std::move(examples)),
      held(std::move(validation)),
      batch_size(batch),
      ensemble(std::move(prompts)),
      order_(size_of(data.examples), batch, rng.next()) {
  base.root.training(&rng);
  if (ensemble.size() > 1) peft::select(base, ensemble[0]);
}

Index Task::prompts() const {
  return ensemble.size() > 1 && !base.model.selection().one().empty() ? size_of(ensemble) : 1;
}

double Task::gradients(Index step) {
  std::vector<std::vector<Index>> parts;
  std::vector<Index> counts;
  Index all = 0;
  for (Index part = 0; part < accumulate; ++part) {
    parts.push_back(order_(step * accumulate + part));
    counts.push_back(accumulate == 1 ? 1 : scored(data, parts.back()));
    all += counts.back();
  }
  double sum = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Variable y = batch_loss(data, parts[i], static_cast<double>(counts[i]) / static_cast<double>(all));
    sum += static_cast<double>(y.item());
    y.backward();
  }
  return sum / static_cast<double>(prompts());
}

double Task::clip(double largest) {
  const double bound = largest > 0 ? largest : std::numeric_limits<double>::infinity();
  if (ensemble.size() < 2) return train::clip_gradients(peft::learning(base), bound);
  double most = 0;
  for (const std::string& prompt : ensemble)
    most = std::max(most, train::clip_gradients(peft::parameters(base, prompt), bound));
  return most;
}

std::string Task::batch(Index step) const {
  std::string all;
  for (Index part = 0; part < accumulate; ++part)
    for (const Index i : order_(step * accumulate + part)) all += (all.empty() ? "" : ", ") + std::to_string(i + 1);
  return (all.find(',') == std::string::npos ? "example " : "examples ") + all;
}

std::vector<Batch> Task::batches(Index step) const {
  std::vector<Batch> all;
  for (Index part = 0; part < accumulate; ++part) all.push_back(train::batch(data, order_(step * accumulate + part), 0));
  return all;
}

std::vector<std::vector<Index>> Task::in_batches(Index examples) const {
  std::vector<std::vector<Index>> all;
  for (Index begin = 0; begin < examples; begin += batch_size) {
    all.emplace_back(static_cast<std::size_t>(std::min(examples - begin, batch_size)));
    std::iota(all.back().begin(), all.back().end(), begin);
  }
  return all;
}

double Task::loss(const train::Dataset& examples) const {
  const NoGrad constant;
  const Evaluating no_dropout(base.root);
  double sum = 0, count = 0;
  for (const std::vector<Index>& which : in_batches(size_of(examples.examples))) {
    const double these = static_cast<double>(scored(examples, which));
    sum += these * static_cast<double>(batch_loss(examples, which, 1).item()) / static_cast<double>(prompts());
    count += these;
  }
  return sum / count;
}

// --- language ------------------------------------------------------------------------------------------------------------

LanguageTask::LanguageTask(const peft::BaseModel& base, train::Dataset examples, train::Dataset validation, Index batch, Rng& rng,
                           std::vector<std::string> prompts)
    : Task(base, std::move(examples), std::move(validation), batch, rng, std::move(prompts)) {
  expect<ValueError>(data.kind != train::Dataset::Kind::labelled, "the examples are ", name(data.kind),
                     "; ClassTask trains on them");
  expect<ValueError>(base.score == nullptr, base.root.kind(), " is a classifier; a language model is needed");
}

Variable LanguageTask::batch_loss(const train::Dataset& of, const std::vector<Index>& which, double share) const {
  const Batch user = train::batch(of, which, 0);
  const Variable y = prompts() > 1 ? peft::ensemble_loss(base.model, ensemble, user) : language_loss(base.model, user);
  return share == 1 ? y : static_cast<real>(share) * y;
}

Index LanguageTask::scored(const train::Dataset& of, const std::vector<Index>& which) const {
  const Batch user = train::batch(of, which, 0);
  const Ids next = next_labels(base.model.prompt_template(user).labels);
  return static_cast<Index>(std::count_if(next.begin(), next.end(), [](Id label) { return label != ignored; }));
}

// --- classes -------------------------------------------------------------------------------------------------------------

ClassTask::ClassTask(const peft::BaseModel& base, train::Dataset examples, train::Dataset validation, Index batch, Rng& rng,
                     std::vector<std::string> prompts)
    : Task(base, std::move(examples), std::move(validation), batch, rng, std::move(prompts)) {
  expect<ValueError>(data.kind == train::Dataset::Kind::labelled, "the examples are ", name(data.kind),
                     ", which have no classes; LanguageTask trains on them");
  const auto* classifier = dynamic_cast<Classifier*>(&base.root);
  expect<ValueError>(classifier != nullptr, base.root.kind(), " has no classification head; make_classifier() adds one");
  expect<ValueError>(classifier->labels.size() == data.labels.size(), "the head has ", classifier->labels.size(),
                     " classes, but the examples have ", data.labels.size());
}

ClassTask::ClassTask(const peft::BaseModel& base, train::Dataset examples, train::Dataset validation, Index batch, Rng& rng,
                     peft::Verbalizer verbalizer, std::vector<std::string> prompts)
    : Task(base, std::move(examples), std::move(validation), batch, rng, std::move(prompts)), verbalizer_(std::move(verbalizer)) {
  expect<ValueError>(data.kind == train::Dataset::Kind::labelled, "the examples are ", name(data.kind),
                     ", which have no classes; LanguageTask trains on them");
  expect<ValueError>(base.score == nullptr, base.root.kind(), " has a head; label words need a language model");
  expect<ValueError>(verbalizer_->labels() == size_of(data.labels), "there are words for ",
                     verbalizer_->labels(), " classes, but the examples have ", data.labels.size());
}

Variable ClassTask::logits(const Batch& user) const {
  return class_logits(base, verbalizer_ ? &*verbalizer_ : nullptr, prompts() > 1 ? ensemble : std::vector<std::string>{}, user);
}

Variable ClassTask::batch_loss(const train::Dataset& of, const std::vector<Index>& which, double share) const {
  const Ids right = peft::repeated(train::classes(of, which), prompts());
  Reduction each;
  each.weights.assign(static_cast<std::size_t>(right.numel()),
                      static_cast<real>(share / static_cast<double>(which.size())));  // of each prompt the mean
  return cross_entropy(logits(train::batch(of, which, 0)), right, each);
}

Index ClassTask::scored(const train::Dataset&, const std::vector<Index>& which) const { return size_of(which); }

}  // namespace graft::tune
