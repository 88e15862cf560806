#include "cli/tune/job.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "cli/models.h"
#include "train/adafactor.h"
#include "train/paged.h"

namespace graft::cli {
namespace {

/// The values of --words, {"LABEL=word,word", ..}, by label. Errors: ValueError
std::map<std::string, std::vector<std::string>> words_by_label(const std::vector<std::string>& given) {
  std::map<std::string, std::vector<std::string>> all;
  for (const std::string& one : given) {
    const std::size_t equals = one.find('=');
    expect<ValueError>(equals != std::string::npos && equals + 1 < one.size(), "--words \"", one,
                       "\": expected LABEL=word,word");
    for (std::size_t at = equals + 1; at <= one.size();) {
      const std::size_t comma = std::min(one.find(',', at), one.size());
      all[one.substr(0, equals)].push_back(one.substr(at, comma - at));
      at = comma + 1;
    }
  }
  return all;
}

}  // namespace

Job::Job(const Settings& s)
    : settings(s),
      loaded(load(find_model(s.model))),
      tokenizer(tokenizer_for(loaded.path.empty() ? find_model(s.model) : loaded.path)),
      rng(s.seed) {
  if (s.begun_before) texts.end = loaded.eos;
  else texts = s.texts ? *s.texts : texts_of(loaded, tokenizer, s.around);
  add_ends(loaded, tokenizer);
  expect<ValueError>(loaded.token_classifier == nullptr, "tune: ", s.model,
                     " classifies tokens; graft tune trains language models and classifiers of sequences");
  Rng draws = rng.split(), order = rng.split();

  // The data are read twice: first to find the classes, then with the room that the method leaves in the context.
  train::ReadOptions reading = texts.reading();
  reading.by_line = s.by_line;
  std::vector<std::string> labels = look(reading).labels;
  const bool by_words = check_kinds(!labels.empty());
  if (!labels.empty()) {
    if (loaded.classifier) labels = loaded.classifier->labels;
    expect<ValueError>(labels.size() > 1, "tune: all examples have the label \"", labels.front(),
                       "\"; at least two classes are needed");
    if (!by_words && !loaded.classifier) tune::make_classifier(loaded, labels, draws);
  }
  loaded.model->recomputing = s.recompute;
  chosen = tune::attach(base(), s.method, tokenizer, labels, draws);
  if (by_words) words = tune::label_words(labels, words_by_label(s.words));
  reading.labels = std::move(labels);
  read(std::move(reading), by_words, order);
  loaded.root->training(&rng);
  task->accumulate = s.accumulate;
  const double n = static_cast<double>(data().examples.size()), per_step = static_cast<double>(s.batch * s.accumulate);
  steps_ = s.steps > 0 ? s.steps : std::max<Index>(1, static_cast<Index>(std::ceil(s.epochs * n / per_step)));
}

train::Dataset Job::look(const train::ReadOptions& reading) const {
  const std::string& file = settings.data;
  const bool records = train::holds_records(file);
  expect<ValueError>(!records || !settings.by_line, "--by-line does not apply to ", file, ", whose lines are already examples");
  return records ? train::read_dataset(file, tokenizer, reading) : train::Dataset();
}

bool Job::check_kinds(bool classes) const {
  const Settings& s = settings;
  expect<ValueError>(!loaded.classifier || classes, "tune: ", s.model,
                     " is a classifier, which needs lines like {\"text\": .., \"label\": ..}");
  const peft::MethodRow& row = peft::method_row(s.method.name);
  const bool by_words =
      classes && (s.answer.empty() ? row.by_words && !loaded.classifier : s.answer == "words");
  expect<ValueError>(s.words.empty() || by_words, "--words: no classes are answered by label words; add --answer words");
  expect<ValueError>(!loaded.classifier || !by_words, "tune: ", s.model, " has a head; --answer words needs a language model");
  expect<ValueError>(s.answer.empty() || classes, "--answer: the data have no classes");
  expect<ValueError>(classes && !by_words ? row.classifies : row.generates, "tune: ", row.title,
                     " needs a head, so data like {\"text\": .., \"label\": ..}");
  return by_words;
}

void Job::read(train::ReadOptions reading, bool by_words, Rng& order) {
  const Settings& s = settings;
  Model& model = *loaded.model;
  std::optional<peft::Verbalizer> verbalizer;
  if (by_words) verbalizer.emplace(words, tokenizer, model.vocabulary());
  const Index room = model.free_positions() - (by_words ? 1 : 0);
  expect<ValueError>(s.length <= room, "--length ", s.length, " exceeds the ", room, " tokens that fit the context of ",
                     model.context(), room < model.context() ? " beside the method" : "");
  reading.longest = s.length > 0 ? s.length : std::min<Index>(room, 512);
  reading.cut = s.cut;
  train::Dataset data = train::read_dataset(s.data, tokenizer, reading), held;
  const auto other = [&](const std::string& file) {
    train::Dataset more = train::read_dataset(file, tokenizer, reading);
    expect<FormatError>(more.kind == data.kind, file, " holds ", name(more.kind), ", but ", s.data, " ", name(data.kind));
    return more;
  };
  if (!s.validation.empty()) held = other(s.validation);
  else if (s.split > 0) held = train::split(data, s.split, s.seed);
  if (!s.test.empty()) test = other(s.test);
  expect<ValueError>(s.patience == 0 || !held.examples.empty(), "--patience needs held-out data; raise --split or add --validation");
  const std::vector<std::string> prompts = chosen.ensemble() ? chosen.names() : std::vector<std::string>{};
  if (verbalizer)
    task = std::make_unique<tune::ClassTask>(base(), std::move(data), std::move(held), s.batch, order, *verbalizer, prompts);
  else if (!reading.labels.empty())
    task = std::make_unique<tune::ClassTask>(base(), std::move(data), std::move(held), s.batch, order, prompts);
  else
    task = std::make_unique<tune::LanguageTask>(base(), std::move(data), std::move(held), s.batch, order, prompts);
}

std::unique_ptr<train::Optimizer> Job::optimizer() const {
  const Settings& s = settings;
  std::vector<train::Group> parameters = tune::groups(base(), chosen);
  if (s.optimizer == "sgd") {
    auto sgd = std::make_unique<train::Sgd>(std::move(parameters));
    sgd->decay = static_cast<real>(s.decay), sgd->momentum = real(0.9);
    return sgd;
  }
  if (s.optimizer == "adafactor") {
    auto adafactor = std::make_unique<train::Adafactor>(std::move(parameters));
    adafactor->decay = static_cast<real>(s.decay);
    return adafactor;
  }
  std::unique_ptr<train::AdamW> adam;
  if (s.optimizer == "paged-adamw") {
    train::PagedOptions paged;
    paged.budget = static_cast<std::size_t>(s.budget * 1048576);
    adam = std::make_unique<train::PagedAdamW>(std::move(parameters), paged);
  } else {
    adam = std::make_unique<train::AdamW>(std::move(parameters));
  }
  adam->decay = static_cast<real>(s.decay);
  return adam;
}

train::Plan Job::plan() const {
  const Settings& s = settings;
  const Index tenth = std::max<Index>(1, steps_ / 10);
  train::Plan plan;
  plan.schedule.steps = steps_;
  plan.schedule.rate = s.rate > 0 ? s.rate : peft::method_row(s.method.name).rate;
  plan.schedule.warmup = train::warmup_steps(s.warmup, steps_);
  plan.schedule.curve = s.schedule == "cosine"   ? train::Schedule::Curve::cosine
                        : s.schedule == "linear" ? train::Schedule::Curve::linear
                                                 : train::Schedule::Curve::constant;
  plan.clip = s.clip;
  if (!held().examples.empty()) plan.evaluate_every = s.evaluate_every > 0 ? s.evaluate_every : tenth;
  plan.patience = s.patience;
  plan.save_every = s.save_every > 0 ? s.save_every : tenth;
  return plan;
}

}  // namespace graft::cli
