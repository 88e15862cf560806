#include "cli/tune/answers.h"

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>
#include <numeric>

#include "autograd/sizes.h"
#include "cli/interrupt.h"
#include "peft/prefix.h"
#include "peft/wrapper.h"
#include "tune/insight.h"

namespace graft::cli {

using nlohmann::json;

Answers answer(Job& job, bool tuned) {
  Model& model = *job.loaded.model;
  const WithSelection as(model, tuned ? model.selection() : Selection());
  const auto look = [] {  // a score may take minutes
    if (const int signal = CatchSignals::caught()) throw Interrupted{signal};
  };
  const train::Dataset& asked = job.eval_set();
  const Index most = job.settings.score;
  Answers all;
  if (const tune::ClassTask* classes = job.classes()) {
    all.predicted = predict(*classes, asked, most, look);
    look();
    all.score = tune::score(asked, all.predicted);
  } else {
    all.texts = complete(job.language(), asked, job.tokenizer, job.loaded.ends, job.loaded.bos, most, look);
    look();
    all.score = tune::score(job.language(), asked, all.texts);
  }
  return all;
}

std::pair<double, double> inference(Job& job) {
  const NoGrad constant;
  const Evaluating no_dropout(*job.loaded.root);
  Model& model = *job.loaded.model;
  const Batch user = job.task->batches(0)[0];
  const auto seconds = [&](const std::string& name) {
    const WithSelection selected(model, name);
    const std::clock_t began = std::clock();
    Past past = model.begin(user.rows());
    (void)model.hidden(model.prompt_template(user), past);
    return static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC;
  };
  const std::string name = job.chosen.names()[0];
  double with = 1e300, without = 1e300;
  for (int round = 0; round < 7; ++round) {
    without = std::min(without, seconds(""));
    with = std::min(with, seconds(name));
  }
  return {with, without};
}

json score(const Job& job, const Answers& answers) {
  const tune::Score& s = answers.score;
  json all{{"score", s.value}, {"score_name", s.name}, {"higher_is_better", s.higher_is_better}};
  if (s.confusion) {
    json rows = json::array();
    const Index L = size_of(job.data().labels);
    for (Index t = 0; t < L; ++t) {
      json row = json::array();
      for (Index p = 0; p < L; ++p) row.push_back(s.confusion->count(t, p));
      rows.push_back(row);
    }
    all["majority"] = s.confusion->majority(), all["confusion"] = rows, all["predicted"] = answers.predicted.classes;
    return all;
  }
  if (s.exact) all["exact"] = *s.exact;
  all["texts"] = answers.texts;
  return all;
}

json samples(const Job& job, const Answers& answers, const json& before, Index count) {
  json all = json::array();
  const std::vector<std::string>& labels = job.data().labels;
  const auto label = [&](const json& predicted, std::size_t i) -> std::string {
    return labels.at(predicted.at(i).get<std::size_t>());
  };
  const std::vector<Index>& predicted = answers.predicted.classes;
  for (std::size_t i = 0; i < static_cast<std::size_t>(count) && i < job.eval_set().examples.size(); ++i) {
    const train::Example& example = job.eval_set().examples[i];
    json one{{"prompt", example.prompt}, {"reference", example.reference}};
    if (job.classes() && i < predicted.size()) {
      one["after"] = nth(labels, predicted[i]);
      one["before"] = before.contains("predicted") ? label(before["predicted"], i) : "";
    } else if (i < answers.texts.size()) {
      one["after"] = answers.texts[i];
      one["before"] = before.contains("texts") ? before["texts"].at(i).get<std::string>() : "";
      if (job.data().kind == train::Dataset::Kind::text)
        one["prompt"] = job.tokenizer.decode(
            {example.ids.begin(), example.ids.begin() + static_cast<std::ptrdiff_t>(tune::prompt_of_text(example))}, true);
    } else {
      break;
    }
    all.push_back(one);
  }
  return all;
}

json votes(const Job& job, const Answers& answers, Index count) {
  json all = json::array();
  const std::vector<std::string>& labels = job.data().labels;
  const Index L = size_of(labels);
  const std::vector<Index>& predicted = answers.predicted.classes;
  for (Index i = 0; i < count && i < size_of(predicted); ++i) {
    const std::size_t at = static_cast<std::size_t>(i);
    json counts = json::object();
    for (Index l = 0; l < L; ++l)
      if (answers.predicted.votes[i * L + l] > 0)
        counts[nth(labels, l)] = static_cast<Index>(answers.predicted.votes[i * L + l]);
    all.push_back({{"text", job.eval_set().examples[at].prompt},
                   {"answer", job.eval_set().examples[at].reference},
                   {"majority", nth(labels, predicted[at])},
                   {"votes", counts}});
  }
  return all;
}

json insight(const Job& job) {
  json all = json::object();
  const auto put = [&](const char* key, json value) {
    if (!value.empty()) all[key] = std::move(value);
  };
  const std::string name = job.chosen.names()[0];
  json delta = json::array();
  if (!job.chosen.attached[0].method->in_place())
    for (const tune::LoraDelta& one : tune::lora_delta(job.base(), name))
      delta.push_back({{"name", one.path}, {"norm", one.norm}, {"singular", one.singular}});
  put("delta", delta);
  if (dynamic_cast<peft::Prefix*>(&*job.loaded.model->memory)) {
    std::vector<Index> some(static_cast<std::size_t>(std::min<Index>(4, size_of(job.data().examples))));
    std::iota(some.begin(), some.end(), Index(0));
    put("prefix_attention", tune::prefix_attention(job.base(), train::batch(job.data(), some, 0)));
  }
  json tokens = json::array();
  for (const tune::VirtualToken& token : tune::nearest_words(job.base(), job.tokenizer, name)) {
    json near = json::array();
    for (const tune::VirtualToken::Near& one : token.near) near.push_back({{"word", one.word}, {"cosine", one.cosine}});
    tokens.push_back({{"index", tokens.size()}, {"near", near}});
  }
  put("virtual_tokens", tokens);
  return all;
}

}  // namespace graft::cli
