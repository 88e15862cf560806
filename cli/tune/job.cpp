#include "cli/tune/job.h"

#include <algorithm>
#include <cmath>
#include <ctime>

#include "cli/models.h"
#include "nn/generate.h"
#include "peft/ensemble.h"
#include "peft/pattern.h"
#include "peft/wrapper.h"
#include "train/adafactor.h"
#include "train/paged.h"

namespace graft::cli {
namespace {

std::vector<Index> range(Index begin, Index end) {
  std::vector<Index> all;
  for (Index i = begin; i < end; ++i) all.push_back(i);
  return all;
}

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : ", ") + word;
  return all;
}

}  // namespace

Job::Job(const Settings& s)
    : settings(s),
      loaded(load_model(find_model(s.model))),
      tokenizer(load_tokenizer_of(loaded.path.empty() ? find_model(s.model) : loaded.path)),
      rng(s.seed) {
  expect<ValueError>(loaded.token_classifier == nullptr, "tune: ", s.model,
                     " classifies tokens; graft tune trains language models and classifiers of sequences");
  Rng draws = rng.split(), order = rng.split();

  // The data are read twice: once to know the classes, which the head and the prompts need, and once to fit beside the method.
  train::ReadOptions reading;
  reading.end = loaded.eos, reading.by_line = s.by_line;
  const std::string data_file = s.data;
  const bool pairs = data_file.size() > 6 && data_file.compare(data_file.size() - 6, 6, ".jsonl") == 0;
  if (pairs) data = train::read_dataset(s.data, tokenizer, reading);
  if (loaded.classifier) {
    expect<ValueError>(classes(), "tune: ", s.model, " is a classifier, which needs lines like {\"text\": .., \"label\": ..}");
    reading.labels = loaded.classifier->labels;
  }
  const MethodKind& kind = method_kind(s.method.name);
  const bool by_words =
      classes() && (s.answer.empty() ? s.method.name == "p-tuning" && !loaded.classifier : s.answer == "words");
  expect<ValueError>(s.words.empty() || by_words, "--words: there are no classes that label words answer; add --answer words");
  expect<ValueError>(!loaded.classifier || !by_words, "tune: ", s.model, " has a head; --answer words needs a language model");
  expect<ValueError>(s.answer.empty() || classes(), "--answer: the data have no classes");
  expect<ValueError>(classes() && !by_words ? kind.classifies : kind.generates, "tune: ", kind.title,
                     " needs a head, so data like {\"text\": .., \"label\": ..}");
  if (classes()) {
    reading.labels = loaded.classifier ? loaded.classifier->labels : data.labels;
    expect<ValueError>(reading.labels.size() > 1, "tune: all examples have the label \"", joined(reading.labels),
                       "\"; at least two classes are needed");
    data.labels = reading.labels;
    if (!by_words && !loaded.classifier) give_head(loaded, data.labels, draws);
  }
  loaded.model->recomputing = s.recompute;
  chosen = cli::attach(host(), s.method, tokenizer, data.labels, draws);
  loaded.root->training(&rng);
  if (by_words) {
    words = label_words(s.words, data.labels);
    verbalizer.emplace(words, tokenizer, loaded.model->vocabulary());
  }

  reading.cut = s.cut;
  if (chosen.ensemble()) loaded.model->selection = {chosen.names()[0], {}};
  const Index room = loaded.model->room() - (by_words ? 1 : 0);
  expect<ValueError>(s.length <= room, "--length ", s.length, " is beyond the ", room, " tokens that the context of ",
                     loaded.model->context(), " has room for", room < loaded.model->context() ? " beside the method" : "");
  reading.longest = s.length > 0 ? s.length : std::min<Index>(room, 512);
  data = train::read_dataset(s.data, tokenizer, reading);
  if (!s.validation.empty()) {
    held = train::read_dataset(s.validation, tokenizer, reading);
    expect<FormatError>(held.kind == data.kind, s.validation, " holds ", name(held.kind), ", but ", s.data, " ",
                        name(data.kind));
  } else if (s.split > 0) {
    held = train::split(data, s.split, s.seed);
  }
  const Index n = static_cast<Index>(data.examples.size());
  order_.emplace(n, s.batch, order.next());
  const double per_step = static_cast<double>(s.batch * s.accumulate);
  steps_ =
      s.steps > 0 ? s.steps : std::max<Index>(1, static_cast<Index>(std::ceil(s.epochs * static_cast<double>(n) / per_step)));
}

Index Job::scored(const std::vector<Index>& which) const {
  if (classes()) return static_cast<Index>(which.size());
  const Framed user = train::batch(data, which, 0);
  const Ids next = next_labels(loaded.model->frame(Framed{user.ids, user.labels, {}}).labels);
  return static_cast<Index>(std::count_if(next.begin(), next.end(), [](Id label) { return label != ignored; }));
}

Variable Job::logits(const Framed& user) const {
  const bool tuned = !loaded.model->selection.all.empty();
  return class_logits(loaded, verbalizer ? &*verbalizer : nullptr,
                      chosen.ensemble() && tuned ? chosen.names() : std::vector<std::string>{}, user);
}

Variable Job::loss(const std::vector<Index>& which, double share) const {
  const Framed user = train::batch(data, which, 0);
  Model& model = *loaded.model;
  if (classes()) {
    const Index K = static_cast<Index>(chosen.attached.size());
    const Ids right = chosen.ensemble() ? peft::repeated(train::classes(data, which), K) : train::classes(data, which);
    Reduction each;
    each.weights.assign(static_cast<std::size_t>(right.numel()),
                        static_cast<real>(share / static_cast<double>(which.size())));  // of each prompt the mean
    return cross_entropy(logits(user), right, each);
  }
  const Variable y = chosen.ensemble() ? peft::ensemble_loss(model, chosen.names(), user.ids, user.labels)
                                       : language_loss(model, user.ids, user.labels);
  return share == 1 ? y : static_cast<real>(share) * y;
}

double Job::gradients(Index step) {
  std::vector<std::vector<Index>> parts;
  std::vector<Index> counts;
  Index all = 0;
  for (Index part = 0; part < settings.accumulate; ++part) {
    parts.push_back((*order_)(step * settings.accumulate + part));
    counts.push_back(settings.accumulate == 1 ? 1 : scored(parts.back()));
    all += counts.back();
  }
  double sum = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {  // each scored token, or row, counts alike, whichever batch it is in
    const Variable y = loss(parts[i], static_cast<double>(counts[i]) / static_cast<double>(all));
    sum += static_cast<double>(y.item());
    y.backward();
  }
  return sum / static_cast<double>(chosen.attached.size());
}

double Job::clip(double largest) {
  const double bound = largest > 0 ? largest : std::numeric_limits<double>::infinity();
  if (!chosen.ensemble()) return train::clip_gradients(peft::learning(host()), bound);
  double most = 0;  // each prompt is a model of its own
  for (const std::string& prompt : chosen.names())
    most = std::max(most, train::clip_gradients(peft::parameters(host(), prompt), bound));
  return most;
}

std::string Job::batch(Index step) const {
  std::string all;
  for (Index part = 0; part < settings.accumulate; ++part)
    for (const Index i : (*order_)(step * settings.accumulate + part)) all += (all.empty() ? "" : ", ") + std::to_string(i + 1);
  return (all.find(',') == std::string::npos ? "example " : "examples ") + all;
}

std::vector<Framed> Job::batches(Index step) const {
  std::vector<Framed> all;
  for (Index part = 0; part < settings.accumulate; ++part)
    all.push_back(train::batch(data, (*order_)(step * settings.accumulate + part), 0));
  return all;
}

double Job::validate() {
  const NoGrad constant;
  const Evaluating no_dropout(*loaded.root);
  const Index n = static_cast<Index>(held.examples.size());
  double sum = 0, count = 0;
  for (Index begin = 0; begin < n; begin += settings.batch) {
    const std::vector<Index> which = range(begin, std::min(n, begin + settings.batch));
    std::swap(data, held);  // loss() and scored() speak of `data`
    struct Back {
      Job& job;
      ~Back() { std::swap(job.data, job.held); }
    } const back{*this};
    const double these = static_cast<double>(scored(which));
    sum += these * static_cast<double>(loss(which, 1).item()) / static_cast<double>(chosen.attached.size());
    count += these;
  }
  return sum / count;
}

Answers Job::answer(Index most, bool tuned) {
  const NoGrad constant;
  const Evaluating no_dropout(*loaded.root);
  Model& model = *loaded.model;
  const Selection before = model.selection;
  if (!tuned) model.selection = {};
  Answers answers;
  const Index n = std::min(most, static_cast<Index>(held.examples.size()));
  std::vector<real> votes;
  for (Index begin = 0; begin < n; begin += settings.batch) {
    const std::vector<Index> which = range(begin, std::min(n, begin + settings.batch));
    if (classes()) {
      const Framed user = train::batch(held, which, 0);
      const Index K = tuned ? static_cast<Index>(chosen.attached.size()) : 1;
      const peft::Votes said = peft::vote(logits(user).value(), K);
      for (const Id label : said.majority) answers.predicted.push_back(label);
      const std::vector<real> counted = said.votes.values();
      votes.insert(votes.end(), counted.begin(), counted.end());
      continue;
    }
    std::vector<std::vector<Id>> prompts;
    GenerateOptions how;
    how.ends = loaded.ends, how.max_tokens = 8;
    Index longest = 0;
    for (const Index i : which) {
      const train::Example& example = held.examples[static_cast<std::size_t>(i)];
      const auto answer = std::find_if(example.labels.begin(), example.labels.end(), [](Id label) { return label != ignored; });
      const std::ptrdiff_t at = held.kind == train::Dataset::Kind::text ? static_cast<std::ptrdiff_t>(prompt_of_text(example))
                                                                        : answer - example.labels.begin();
      prompts.emplace_back(example.ids.begin(), example.ids.begin() + at);
      longest = std::max(longest, static_cast<Index>(at));
      how.max_tokens =
          std::max(how.max_tokens, std::min<Index>(64, static_cast<Index>(example.ids.size()) - static_cast<Index>(at) + 8));
    }
    how.max_tokens = std::min(how.max_tokens, std::max<Index>(1, model.room() - longest));
    std::vector<std::map<std::string, Index>> said(prompts.size());
    std::vector<std::string> chosen_texts(prompts.size());
    const std::vector<std::string> names =
        tuned && chosen.ensemble() ? chosen.names() : std::vector<std::string>{model.selection.all};
    for (const std::string& name : names) {  // the majority of an ensemble's answers; of equally many, the earliest
      model.selection = {name, {}};
      Rng none(0);
      const auto rows = generate(model, prompts, how, none);
      for (std::size_t b = 0; b < rows.size(); ++b) {
        const std::string words = tokenizer.decode(rows[b], true);
        const Index votes_now = ++said[b][words];
        if (chosen_texts[b].empty() || votes_now > said[b][chosen_texts[b]]) chosen_texts[b] = words;
      }
    }
    model.selection = tuned ? before : Selection{};
    answers.texts.insert(answers.texts.end(), chosen_texts.begin(), chosen_texts.end());
  }
  if (!votes.empty()) answers.votes = Tensor(Shape{n, static_cast<Index>(data.labels.size())}, std::move(votes));
  model.selection = before;
  return answers;
}

std::pair<double, double> Job::inference() {
  const NoGrad constant;
  const Evaluating no_dropout(*loaded.root);
  Model& model = *loaded.model;
  const Framed user = train::batch(data, (*order_)(0), 0);
  const auto seconds = [&](const std::string& name) {
    const peft::Selected selected(model.selection, name);
    const std::clock_t began = std::clock();
    const Framed framed = model.frame(Framed{user.ids, {}, user.lengths});
    Past past = model.begin(framed.ids.shape()[0]);
    (void)model.hidden(framed.ids, past);
    return static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC;
  };
  const std::string name = chosen.names()[0];
  double with = 1e300, without = 1e300;
  for (int round = 0; round < 7; ++round) {
    without = std::min(without, seconds(""));
    with = std::min(with, seconds(name));
  }
  return {with, without};
}

std::unique_ptr<train::Optimizer> Job::optimizer() const {
  std::vector<train::Group> parameters = groups(host(), chosen);
  if (settings.optimizer == "sgd") {
    auto sgd = std::make_unique<train::Sgd>(std::move(parameters));
    sgd->decay = static_cast<real>(settings.decay), sgd->momentum = real(0.9);
    return sgd;
  }
  if (settings.optimizer == "adafactor") {
    auto adafactor = std::make_unique<train::Adafactor>(std::move(parameters));
    adafactor->decay = static_cast<real>(settings.decay);
    return adafactor;
  }
  std::unique_ptr<train::AdamW> adam;
  if (settings.optimizer == "paged-adamw") {
    train::PagedOptions paged;
    paged.budget = static_cast<std::size_t>(settings.budget * 1048576);
    adam = std::make_unique<train::PagedAdamW>(std::move(parameters), paged);
  } else {
    adam = std::make_unique<train::AdamW>(std::move(parameters));
  }
  adam->decay = static_cast<real>(settings.decay);
  return adam;
}

train::Plan Job::plan() const {
  train::Plan plan;
  plan.schedule.steps = steps_;
  plan.schedule.rate = settings.rate > 0 ? settings.rate : method_kind(settings.method.name).rate;
  plan.schedule.warmup = std::min(
      steps_, static_cast<Index>(settings.warmup < 1 ? settings.warmup * static_cast<double>(steps_) : settings.warmup));
  plan.schedule.shape = settings.schedule == "cosine"   ? train::Schedule::Shape::cosine
                        : settings.schedule == "linear" ? train::Schedule::Shape::linear
                                                        : train::Schedule::Shape::constant;
  plan.clip = settings.clip;
  if (!held.examples.empty())
    plan.evaluate_every = settings.evaluate_every > 0 ? settings.evaluate_every : std::max<Index>(1, steps_ / 10);
  plan.patience = settings.patience;
  plan.save_every = settings.save_every > 0 ? settings.save_every : std::max<Index>(1, steps_ / 10);
  return plan;
}

}  // namespace graft::cli
