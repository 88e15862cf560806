#include "peft/ensemble.h"

#include <algorithm>

#include "autograd/sizes.h"
#include "peft/wrapper.h"

namespace graft::peft {

std::vector<Attached> detail::attach_ensemble(const BaseModel& base, std::shared_ptr<const Method> method, Index count, Rng& rng,
                                              const std::string& name) {
  expect<ValueError>(count > 0, "attach_ensemble: ", count, " prompts; at least 1 is needed");
  Rng draws = rng;
  std::vector<Rng> own;  // a stream for each
  for (Index k = 0; k < count; ++k) own.push_back(draws.split());
  std::vector<Attaching> each;
  std::vector<Attached> all;
  for (Index k = 0; k < count; ++k) {
    each.push_back({text(name, "-", k), method.get(), &nth(own, k)});
    all.push_back({each.back().name, method});
  }
  attach(base, each);
  rng = draws;
  learn(base, names_of(all));
  return all;
}

std::vector<std::string> names_of(const std::vector<Attached>& prompts) {
  std::vector<std::string> names;
  for (const Attached& prompt : prompts) names.push_back(prompt.name);
  return names;
}

Ids repeated(const Ids& ids, Index count) {
  std::vector<Id> all;
  for (Index k = 0; k < count; ++k) all.insert(all.end(), ids.begin(), ids.end());
  return Ids(ids.shape().with(0, ids.shape()[0] * count), std::move(all));
}

Batch repeated(const Batch& user, Index count) {
  Batch all;
  all.ids = repeated(user.ids, count);
  if (user.labels.numel() > 0) all.labels = repeated(user.labels, count);
  for (Index k = 0; k < count; ++k) {
    all.lengths.insert(all.lengths.end(), user.lengths.begin(), user.lengths.end());
    all.answers.insert(all.answers.end(), user.answers.begin(), user.answers.end());
  }
  return all;
}

std::vector<std::string> rows_for(const std::vector<std::string>& prompts, Index batch) {
  std::vector<std::string> rows;
  for (const std::string& prompt : prompts) rows.insert(rows.end(), static_cast<std::size_t>(batch), prompt);
  return rows;
}

Variable ensemble_loss(Model& model, const std::vector<std::string>& prompts, const Batch& user) {
  expect<ValueError>(!prompts.empty(), "ensemble_loss: no prompts given; at least one is needed");
  for (const std::string& prompt : prompts)
    expect<ValueError>(model.attachments.has(prompt), "ensemble_loss: there is no \"", prompt, "\" among the ",
                       model.attachments.names().size(), " that are attached; use the names that attach_ensemble() returned");
  user.check();
  expect(user.labels.numel() > 0, "ensemble_loss: there are no labels for ids ", user.ids.shape());
  const Index B = user.rows(), K = size_of(prompts);
  const WithSelection all_prompts(model, Selection(rows_for(prompts, B)));
  const Templated batch = model.prompt_template(repeated(user, K));

  // Each prompt's scored places weigh 1/(their number).
  const Ids next = next_labels(batch.labels);
  const Index T = next.shape()[1];
  Reduction mean;
  mean.weights.assign(static_cast<std::size_t>(K * B * T), 0);
  for (Index k = 0; k < K; ++k) {
    Index scored = 0;
    const auto each = [&](const auto& f) {
      for (Index i = k * B * T; i < (k + 1) * B * T; ++i)
        if (next[i] != ignored) f(i);
    };
    each([&](Index) { ++scored; });
    expect<ValueError>(scored > 0, "ensemble_loss: no label is scored for prompt \"", nth(prompts, k),
                       "\"");
    each([&](Index i) { nth(mean.weights, i) = 1 / static_cast<real>(scored); });
  }
  return language_loss(model, batch, mean);
}

Votes vote(const Tensor& logits, Index prompts) {
  expect(logits.rank() == 2 && prompts > 0 && logits.dim(0) % prompts == 0, "vote: logits ", logits.shape(), " of ", prompts,
         " prompts; (prompts·rows, labels) is needed");
  const Index B = logits.dim(0) / prompts, L = logits.dim(1);
  const Tensor p = softmax(Variable(logits)).value();
  Votes v;
  v.probabilities = Tensor(Shape{B, L}, 0), v.votes = Tensor(Shape{B, L}, 0);
  real *mean = v.probabilities.write(), *count = v.votes.write();
  for (Index k = 0; k < prompts; ++k)
    for (Index b = 0; b < B; ++b) {
      const real* row = p.data() + (k * B + b) * L;
      for (Index l = 0; l < L; ++l) mean[b * L + l] += row[l] / static_cast<real>(prompts);
      count[b * L + (std::max_element(row, row + L) - row)] += 1;
    }
  std::vector<Id> majority, probable;
  for (Index b = 0; b < B; ++b) {
    const real *m = mean + b * L, *c = count + b * L;
    Index best = 0;
    for (Index l = 1; l < L; ++l)
      if (c[l] > c[best] || (c[l] == c[best] && m[l] > m[best])) best = l;
    majority.push_back(static_cast<Id>(best));
    probable.push_back(static_cast<Id>(std::max_element(m, m + L) - m));
  }
  v.majority = Ids({B}, majority), v.most_probable = Ids({B}, probable);
  return v;
}

}  // namespace graft::peft
