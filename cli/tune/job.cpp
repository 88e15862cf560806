#include "cli/tune/job.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "cli/models.h"
#include "nn/generate.h"
#include "peft/ensemble.h"
#include "peft/wrapper.h"

namespace graft::cli {

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

  // The data are read twice: once to know the classes, and once to fit beside the method.
  train::ReadOptions reading = look();
  const bool by_words = check_kinds();
  if (classes()) {
    reading.labels = loaded.classifier ? loaded.classifier->labels : data.labels;
    expect<ValueError>(reading.labels.size() > 1, "tune: all examples have the label \"", reading.labels.front(),
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
  if (chosen.ensemble()) loaded.model->selection = {chosen.names()[0], {}};

  read(std::move(reading));
  const Index n = static_cast<Index>(data.examples.size());
  order_.emplace(n, s.batch, order.next());
  const double per_step = static_cast<double>(s.batch * s.accumulate);
  steps_ =
      s.steps > 0 ? s.steps : std::max<Index>(1, static_cast<Index>(std::ceil(s.epochs * static_cast<double>(n) / per_step)));
}

train::ReadOptions Job::look() {
  train::ReadOptions reading;
  reading.begin = texts.begin, reading.system = texts.system, reading.end = texts.end, reading.by_line = settings.by_line;
  const std::string& file = settings.data;
  const bool records = train::holds_records(file);
  expect<ValueError>(!records || !settings.by_line, "--by-line says nothing to ", file, ", whose lines are examples anyway");
  if (records) data = train::read_dataset(file, tokenizer, reading);
  return reading;
}

bool Job::check_kinds() const {
  const Settings& s = settings;
  expect<ValueError>(!loaded.classifier || classes(), "tune: ", s.model,
                     " is a classifier, which needs lines like {\"text\": .., \"label\": ..}");
  const MethodKind& kind = method_kind(s.method.name);
  const bool by_words =
      classes() && (s.answer.empty() ? s.method.name == "p-tuning" && !loaded.classifier : s.answer == "words");
  expect<ValueError>(s.words.empty() || by_words, "--words: there are no classes that label words answer; add --answer words");
  expect<ValueError>(!loaded.classifier || !by_words, "tune: ", s.model, " has a head; --answer words needs a language model");
  expect<ValueError>(s.answer.empty() || classes(), "--answer: the data have no classes");
  expect<ValueError>(classes() && !by_words ? kind.classifies : kind.generates, "tune: ", kind.title,
                     " needs a head, so data like {\"text\": .., \"label\": ..}");
  return by_words;
}

void Job::read(train::ReadOptions reading) {
  const Settings& s = settings;
  Model& model = *loaded.model;
  const Index room = model.room() - (verbalizer ? 1 : 0);
  expect<ValueError>(s.length <= room, "--length ", s.length, " is beyond the ", room, " tokens that the context of ",
                     model.context(), " has room for", room < model.context() ? " beside the method" : "");
  reading.longest = s.length > 0 ? s.length : std::min<Index>(room, 512);
  reading.cut = s.cut;
  data = train::read_dataset(s.data, tokenizer, reading);
  const auto other = [&](const std::string& file) {
    train::Dataset more = train::read_dataset(file, tokenizer, reading);
    expect<FormatError>(more.kind == data.kind, file, " holds ", name(more.kind), ", but ", s.data, " ", name(data.kind));
    return more;
  };
  if (!s.validation.empty()) held = other(s.validation);
  else if (s.split > 0) held = train::split(data, s.split, s.seed);
  if (!s.test.empty()) test = other(s.test);
  expect<ValueError>(s.patience == 0 || !held.examples.empty(), "--patience: nothing is held out that could become better");
}

Index Job::scored(const train::Dataset& of, const std::vector<Index>& which) const {
  if (classes()) return static_cast<Index>(which.size());
  const Framed user = train::batch(of, which, 0);
  const Ids next = next_labels(loaded.model->frame(Framed{user.ids, user.labels, {}}).labels);
  return static_cast<Index>(std::count_if(next.begin(), next.end(), [](Id label) { return label != ignored; }));
}

Index Job::prompts() const {
  return chosen.ensemble() && !loaded.model->selection.all.empty() ? static_cast<Index>(chosen.attached.size()) : 1;
}

Variable Job::logits(const Framed& user) const {
  return class_logits(loaded, verbalizer ? &*verbalizer : nullptr, prompts() > 1 ? chosen.names() : std::vector<std::string>{},
                      user);
}

Variable Job::loss(const train::Dataset& of, const std::vector<Index>& which, double share) const {
  const Framed user = train::batch(of, which, 0);
  Model& model = *loaded.model;
  if (classes()) {
    const Ids right = peft::repeated(train::classes(of, which), prompts());
    Reduction each;
    each.weights.assign(static_cast<std::size_t>(right.numel()),
                        static_cast<real>(share / static_cast<double>(which.size())));  // of each prompt the mean
    return cross_entropy(logits(user), right, each);
  }
  const Variable y = prompts() > 1 ? peft::ensemble_loss(model, chosen.names(), user.ids, user.labels)
                                   : language_loss(model, user.ids, user.labels);
  return share == 1 ? y : static_cast<real>(share) * y;
}

double Job::gradients(Index step) {
  std::vector<std::vector<Index>> parts;
  std::vector<Index> counts;
  Index all = 0;
  for (Index part = 0; part < settings.accumulate; ++part) {
    parts.push_back((*order_)(step * settings.accumulate + part));
    counts.push_back(settings.accumulate == 1 ? 1 : scored(data, parts.back()));
    all += counts.back();
  }
  double sum = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {  // each scored token, or row, counts alike, whichever batch it is in
    const Variable y = loss(data, parts[i], static_cast<double>(counts[i]) / static_cast<double>(all));
    sum += static_cast<double>(y.item());
    y.backward();
  }
  return sum / static_cast<double>(prompts());
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

std::vector<std::vector<Index>> Job::in_order(Index n) const {
  std::vector<std::vector<Index>> all;
  for (Index begin = 0; begin < n; begin += settings.batch) {
    all.emplace_back(static_cast<std::size_t>(std::min(n - begin, settings.batch)));
    std::iota(all.back().begin(), all.back().end(), begin);
  }
  return all;
}

double Job::loss_on(const train::Dataset& examples) {
  const NoGrad constant;
  const Evaluating no_dropout(*loaded.root);
  double sum = 0, count = 0;
  for (const std::vector<Index>& which : in_order(static_cast<Index>(examples.examples.size()))) {
    const double these = static_cast<double>(scored(examples, which));
    sum += these * static_cast<double>(loss(examples, which, 1).item()) / static_cast<double>(prompts());
    count += these;
  }
  return sum / count;
}

}  // namespace graft::cli
