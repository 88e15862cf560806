#include "cli/tune/answers.h"

#include <algorithm>
#include <ctime>
#include <map>

#include "cli/interrupt.h"
#include "nn/generate.h"
#include "peft/ensemble.h"
#include "peft/wrapper.h"

namespace graft::cli {
namespace {

/// The prompts of some examples, and how to go on with them.
struct Questions {
  std::vector<std::vector<Id>> prompts;
  GenerateOptions how;
};
Questions questions(const Job& job, const std::vector<Index>& which) {
  Questions q;
  q.how.ends = job.loaded.ends, q.how.max_tokens = 8;
  if (job.asked().kind == train::Dataset::Kind::chat) q.how.ends.push_back(job.tokenizer.id("<|im_end|>"));
  Index longest = 0;
  for (const Index i : which) {
    const train::Example& example = job.asked().examples[static_cast<std::size_t>(i)];
    const auto answer = std::find_if(example.labels.begin(), example.labels.end(), [](Id label) { return label != ignored; });
    const Index at = job.asked().kind == train::Dataset::Kind::text ? static_cast<Index>(prompt_of_text(example))
                                                                    : static_cast<Index>(answer - example.labels.begin());
    q.prompts.emplace_back(example.ids.begin(), example.ids.begin() + at);
    if (at == 0) q.prompts.back().push_back(job.loaded.bos >= 0 ? job.loaded.bos : example.ids[0]);  // nothing is asked
    longest = std::max(longest, at);
    const Index room = static_cast<Index>(example.ids.size()) - at + 8;  // somewhat more than the reference has
    q.how.max_tokens = std::max(q.how.max_tokens, std::min<Index>(64, room));
  }
  q.how.max_tokens = std::min(q.how.max_tokens, std::max<Index>(1, job.loaded.model->room() - longest));
  return q;
}

/// Of those that are equally frequent the earliest.
std::string most_frequent(const std::vector<std::string>& all) {
  std::map<std::string, Index> votes;
  for (const std::string& one : all) ++votes[one];
  return *std::max_element(all.begin(), all.end(),
                           [&](const std::string& a, const std::string& b) { return votes[a] < votes[b]; });
}

std::vector<std::string> texts(Job& job, const std::vector<Index>& which) {
  Model& model = *job.loaded.model;
  const Questions q = questions(job, which);
  const std::vector<std::string> names = job.prompts() > 1 ? job.chosen.names() : std::vector<std::string>{model.selection.all};
  std::vector<std::vector<std::string>> said(which.size());  // of each example what each prompt says
  for (const std::string& name : names) {
    const peft::Selected one(model.selection, name);
    Rng none(0);
    const auto rows = generate(model, q.prompts, q.how, none);
    for (std::size_t b = 0; b < rows.size(); ++b) said[b].push_back(job.tokenizer.decode(rows[b], true));
  }
  std::vector<std::string> all;
  for (const std::vector<std::string>& one : said) all.push_back(most_frequent(one));
  return all;
}

}  // namespace

std::size_t prompt_of_text(const train::Example& example) {
  return std::max<std::size_t>(1, std::min<std::size_t>(24, example.ids.size() / 2));
}

Answers answer(Job& job, Index most, bool tuned) {
  const NoGrad constant;
  const Evaluating no_dropout(*job.loaded.root);
  const peft::Selected as(job.loaded.model->selection, tuned ? job.loaded.model->selection.all : "");
  Answers answers;
  const Index n = std::min(most, static_cast<Index>(job.asked().examples.size()));
  std::vector<real> votes;
  const auto look = [] {  // a score may take minutes
    if (const int signal = CatchSignals::caught()) throw Interrupted{signal};
  };
  for (const std::vector<Index>& which : job.in_order(n)) {
    look();
    if (job.classes()) {
      const peft::Votes said = peft::vote(job.logits(train::batch(job.asked(), which, 0)).value(), job.prompts());
      answers.predicted.insert(answers.predicted.end(), said.majority.begin(), said.majority.end());
      const std::vector<real> counted = said.votes.values();
      votes.insert(votes.end(), counted.begin(), counted.end());
    } else {
      for (std::string& one : texts(job, which)) answers.texts.push_back(std::move(one));
    }
  }
  look();
  const bool by_loss = job.data.kind == train::Dataset::Kind::text || job.data.kind == train::Dataset::Kind::chat;
  if (by_loss) answers.loss = job.loss_on(job.asked());
  if (!votes.empty()) answers.votes = Tensor(Shape{n, static_cast<Index>(job.data.labels.size())}, std::move(votes));
  return answers;
}

std::pair<double, double> inference(Job& job) {
  const NoGrad constant;
  const Evaluating no_dropout(*job.loaded.root);
  Model& model = *job.loaded.model;
  const Framed user = job.batches(0)[0];
  const auto seconds = [&](const std::string& name) {
    const peft::Selected selected(model.selection, name);
    const std::clock_t began = std::clock();
    const Framed framed = model.frame(Framed{user.ids, {}, user.lengths});
    Past past = model.begin(framed.ids.shape()[0]);
    (void)model.hidden(framed.ids, past);
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

}  // namespace graft::cli
