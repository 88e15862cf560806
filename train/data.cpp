#include "train/data.h"

#include <algorithm>
#include <numeric>

#include "autograd/rng.h"
#include "autograd/sizes.h"

namespace graft::train {
namespace {

std::vector<Index> shuffled(Index n, std::uint64_t seed, Index epoch) {
  std::vector<Index> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), Index(0));
  Rng draws(Rng::State{seed, static_cast<std::uint64_t>(epoch) << 32});  // epochs lie apart in one stream
  for (std::size_t i = order.size(); i > 1; --i)                         // Fisher-Yates
    std::swap(order[i - 1], nth(order, draws.below(static_cast<Index>(i))));
  return order;
}

}  // namespace

const char* name(Dataset::Kind kind) {
  switch (kind) {
    case Dataset::Kind::text: return "text";
    case Dataset::Kind::completion: return "prompts and completions";
    case Dataset::Kind::chat: return "messages";
    case Dataset::Kind::labelled: return "labelled texts";
  }
  return "";
}

Index Dataset::tokens() const {
  std::size_t n = 0;
  for (const Example& example : examples) n += example.ids.size();
  return static_cast<Index>(n);
}

Dataset split(Dataset& data, double share, std::uint64_t seed) {
  const Index all = size_of(data.examples);
  const Index held = static_cast<Index>(share * static_cast<double>(all) + 0.5);
  expect<ValueError>(held > 0 && held < all, "split: ", share, " of ", all, all == 1 ? " example" : " examples",
                     " leaves no example for one of the two parts; give more data, or a file for validation");
  std::vector<bool> taken(data.examples.size(), false);
  if (data.kind == Dataset::Kind::text) {
    std::fill(taken.end() - static_cast<std::ptrdiff_t>(held), taken.end(), true);
  } else {
    const std::vector<Index> order = shuffled(all, seed, 0);
    for (Index i = 0; i < held; ++i) nth(taken, nth(order, i)) = true;
  }
  Dataset apart;
  apart.kind = data.kind, apart.labels = data.labels;
  std::vector<Example> rest;
  for (std::size_t i = 0; i < taken.size(); ++i) (taken[i] ? apart.examples : rest).push_back(std::move(data.examples[i]));
  data.examples = std::move(rest);
  return apart;
}

Batch batch(const Dataset& data, const std::vector<Index>& which, Id pad) {
  std::size_t longest = 0;
  for (const Index i : which) longest = std::max(longest, data.examples.at(static_cast<std::size_t>(i)).ids.size());
  const Shape shape{size_of(which), static_cast<Index>(longest)};
  std::vector<Id> ids, labels;
  std::vector<Index> lengths, answers;
  for (const Index i : which) {
    const Example& example = nth(data.examples, i);
    const std::vector<Id>& scored = example.labels.empty() ? example.ids : example.labels;
    ids.insert(ids.end(), example.ids.begin(), example.ids.end());
    labels.insert(labels.end(), scored.begin(), scored.end());
    ids.resize(static_cast<std::size_t>(shape[1]) * (lengths.size() + 1), pad);
    labels.resize(ids.size(), ignored);
    lengths.push_back(size_of(example.ids));
    answers.push_back(example.answer < 0 ? lengths.back() : std::min(example.answer, lengths.back()));
  }
  return {Ids(shape, std::move(ids)), Ids(shape, std::move(labels)), std::move(lengths), std::move(answers)};
}

namespace {

Batch whole(const Dataset& data) {
  std::vector<Index> all;
  for (Index i = 0; i < size_of(data.examples); ++i) all.push_back(i);
  return batch(data, all, 0);
}

std::vector<Id> tokens_of(const Tokenizer& tokenizer, const std::vector<std::string>& lines, Index i) {
  std::vector<Id> ids = tokenizer.encode(nth(lines, i));
  expect<ValueError>(!ids.empty(), "batch: line ", i, " is empty, so it has no tokens");
  return ids;
}

}  // namespace

Batch batch(const Tokenizer& tokenizer, const std::vector<std::string>& lines) {
  expect<ValueError>(!lines.empty(), "batch: no lines are given");
  Dataset data;
  for (Index i = 0; i < size_of(lines); ++i) {
    data.examples.emplace_back();
    data.examples.back().ids = tokens_of(tokenizer, lines, i);
  }
  return whole(data);
}

Batch batch(const Tokenizer& tokenizer, const std::vector<std::string>& prompts, const std::vector<std::string>& answers) {
  expect<ValueError>(!prompts.empty() && prompts.size() == answers.size(), "batch: ", prompts.size(), " prompts and ", answers.size(),
                     " answers are given; there is one answer for each prompt");
  Dataset data;
  for (Index i = 0; i < size_of(prompts); ++i) {
    Example example;
    example.ids = tokens_of(tokenizer, prompts, i);
    example.answer = size_of(example.ids);
    example.labels.assign(example.ids.size(), ignored);
    for (const Id id : tokens_of(tokenizer, answers, i)) example.ids.push_back(id), example.labels.push_back(id);
    data.examples.push_back(std::move(example));
  }
  return whole(data);
}

Ids classes(const Dataset& data, const std::vector<Index>& which) {
  std::vector<Id> all;
  for (const Index i : which) all.push_back(static_cast<Id>(data.examples.at(static_cast<std::size_t>(i)).label));
  return Ids({size_of(which)}, std::move(all));
}

Order::Order(Index examples, Index batch, std::uint64_t seed, bool shuffled)
    : examples_(examples),
      batch_(batch),
      seed_(seed),
      shuffled_(shuffled) {
  expect<ValueError>(examples > 0 && batch > 0, "batches of ", batch, " out of ", examples, " examples");
}

std::vector<Index> Order::operator()(Index n) const {
  std::vector<Index> which;
  for (Index i = n * batch_; i < (n + 1) * batch_; ++i) {
    const Index epoch = i / examples_, place = i % examples_;
    if (shuffled_ && epoch != epoch_) order_ = shuffled(examples_, seed_, epoch), epoch_ = epoch;
    which.push_back(shuffled_ ? nth(order_, place) : place);
  }
  return which;
}

}  // namespace graft::train
