#include "tune/answers.h"

#include <algorithm>
#include <map>

#include "autograd/sizes.h"
#include "nn/generate.h"
#include "peft/ensemble.h"
#include "peft/wrapper.h"
#include "train/bleu.h"

namespace graft::tune {
namespace {

using Kind = train::Dataset::Kind;

Index how_many(const train::Dataset& examples, Index most) {
  const Index n = size_of(examples.examples);
  return most > 0 ? std::min(most, n) : n;
}

/// The prompts of some examples, and how to continue them.
struct Questions {
  std::vector<std::vector<Id>> prompts;
  GenerateOptions how;
};
Questions questions(Model& model, const train::Dataset& examples, const std::vector<Index>& which, Id begin) {
  Questions q;
  q.how.max_tokens = 8;
  Index longest = 0;
  for (const Index i : which) {
    const train::Example& example = nth(examples.examples, i);
    const auto said = std::find_if(example.labels.begin(), example.labels.end(), [](Id label) { return label != ignored; });
    const Index at = examples.kind == Kind::text   ? static_cast<Index>(prompt_of_text(example))
                     : examples.kind == Kind::chat ? static_cast<Index>(said - example.labels.begin())  // the assistant's first
                                                   : example.answer;
    q.prompts.emplace_back(example.ids.begin(), example.ids.begin() + at);
    if (at == 0) q.prompts.back().push_back(begin >= 0 ? begin : example.ids[0]);  // the prompt is empty
    longest = std::max(longest, at);
    const Index room = size_of(example.ids) - at + 8;  // somewhat more than the reference has
    q.how.max_tokens = std::max(q.how.max_tokens, std::min<Index>(64, room));
  }
  q.how.max_tokens = std::min(q.how.max_tokens, std::max<Index>(1, model.free_positions() - longest));
  return q;
}

/// Ties go to the earliest.
std::string most_frequent(const std::vector<std::string>& all) {
  std::map<std::string, Index> votes;
  for (const std::string& one : all) ++votes[one];
  return *std::max_element(all.begin(), all.end(),
                           [&](const std::string& a, const std::string& b) { return votes[a] < votes[b]; });
}

std::string trimmed(const std::string& s) {
  const std::size_t begin = s.find_first_not_of(" \t\r\n");
  return begin == std::string::npos ? "" : s.substr(begin, s.find_last_not_of(" \t\r\n") - begin + 1);
}

}  // namespace

Predicted predict(const ClassTask& task, const train::Dataset& examples, Index most, const Between& between) {
  const NoGrad constant;
  const Evaluating no_dropout(task.base.root);
  Predicted all;
  std::vector<real> votes;
  const Index n = how_many(examples, most);
  for (const std::vector<Index>& which : task.in_batches(n)) {
    if (between) between();
    const peft::Votes said = peft::vote(task.logits(train::batch(examples, which, 0)).value(), task.prompts());
    all.classes.insert(all.classes.end(), said.majority.begin(), said.majority.end());
    const std::vector<real> counted = said.votes.values();
    votes.insert(votes.end(), counted.begin(), counted.end());
  }
  if (n > 0) all.votes = Tensor(Shape{n, size_of(task.labels())}, std::move(votes));
  return all;
}

double accuracy(const ClassTask& task, const train::Dataset& examples) { return score(examples, predict(task, examples)).value; }

std::size_t prompt_of_text(const train::Example& example) {
  return std::max<std::size_t>(1, std::min<std::size_t>(24, example.ids.size() / 2));
}

std::vector<std::string> complete(const LanguageTask& task, const train::Dataset& examples, const Tokenizer& tokenizer,
                                  const std::vector<Id>& ends, Id begin, Index most, const Between& between) {
  const NoGrad constant;
  const Evaluating no_dropout(task.base.root);
  Model& model = task.base.model;
  const std::vector<std::string> prompts =
      task.prompts() > 1 ? task.ensemble : std::vector<std::string>{model.selection().one()};
  std::vector<std::string> all;
  for (const std::vector<Index>& which : task.in_batches(how_many(examples, most))) {
    if (between) between();
    Questions q = questions(model, examples, which, begin);
    q.how.ends = ends;
    if (examples.kind == Kind::chat) q.how.ends.push_back(tokenizer.id("<|im_end|>"));
    std::vector<std::vector<std::string>> said(which.size());  // for each example the answer of each prompt
    for (const std::string& prompt : prompts) {
      const WithSelection one(model, prompt);
      Rng none(0);
      const auto rows = generate(model, q.prompts, q.how, none);
      for (std::size_t b = 0; b < rows.size(); ++b) said[b].push_back(tokenizer.decode(rows[b], true));
    }
    for (const std::vector<std::string>& one : said) all.push_back(most_frequent(one));
  }
  return all;
}

Score score(const train::Dataset& examples, const Predicted& predicted) {
  std::vector<Index> right;
  for (std::size_t i = 0; i < predicted.classes.size(); ++i) right.push_back(examples.examples[i].label);
  Score s;
  s.name = "accuracy";
  s.confusion.emplace(right, predicted.classes, examples.labels);
  s.value = s.confusion->accuracy();
  return s;
}

Score score(const LanguageTask& task, const train::Dataset& examples, const std::vector<std::string>& written) {
  Score s;
  if (examples.kind != Kind::completion) {
    s.name = "NLL", s.higher_is_better = false;
    s.value = task.loss(examples);
    return s;
  }
  std::vector<std::string> said, wanted;
  double exact = 0;
  for (std::size_t i = 0; i < written.size(); ++i) {
    said.push_back(trimmed(written[i])), wanted.push_back(trimmed(examples.examples[i].reference));
    exact += said.back() == wanted.back();
  }
  s.name = "BLEU";
  s.value = train::bleu(said, wanted);
  s.exact = exact / static_cast<double>(said.size());
  return s;
}

}  // namespace graft::tune
