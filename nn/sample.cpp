// How the next token is chosen from logits.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "autograd/sizes.h"
#include "nn/generate.h"

namespace graft {
namespace {

void expect_valid(const Sampling& s) {
  expect<ValueError>(s.temperature >= 0 && std::isfinite(s.temperature), "sample: the temperature is ", s.temperature,
                     ", but must be 0 (always the most likely token) or more");
  expect<ValueError>(s.top_k >= 0, "sample: top_k is ", s.top_k, ", but must be 0 (all tokens) or more");
  expect<ValueError>(s.top_p > 0 && s.top_p <= 1, "sample: top_p is ", s.top_p, ", but must be in (0, 1]");
  expect<ValueError>(s.repetition_penalty > 0 && std::isfinite(s.repetition_penalty), "sample: the repetition penalty is ",
                     s.repetition_penalty, ", but must be positive (1: none)");
}

}  // namespace

Id sample(const real* logits, Index n, const std::vector<Id>& seen, const Sampling& sampling, Rng& rng) {
  expect_valid(sampling);
  expect<ValueError>(n > 0, "sample: there are no logits");
  std::vector<double> l(logits, logits + n);
  if (sampling.repetition_penalty != 1) {
    std::vector<Id> once(seen);
    std::sort(once.begin(), once.end());
    once.erase(std::unique(once.begin(), once.end()), once.end());
    for (const Id id : once)
      if (0 <= id && id < n) {  // virtual tokens are not words
        double& value = nth(l, id);
        value = value > 0 ? value / sampling.repetition_penalty : value * sampling.repetition_penalty;
      }
  }
  for (double& value : l)
    if (std::isnan(value)) value = -std::numeric_limits<double>::infinity();
  const auto best = std::max_element(l.begin(), l.end());  // the first of several
  expect<ValueError>(std::isfinite(*best), "sample: no logit is finite; the weights or the ids are damaged");
  if (sampling.temperature == 0) return static_cast<Id>(best - l.begin());

  // Candidates by falling logit (then by id), sorted only as far as top-k and top-p need.
  const Index k = sampling.top_k > 0 ? std::min(sampling.top_k, n) : n;
  std::vector<Id> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  const auto before = [&](Id a, Id b) {
    const double la = nth(l, a), lb = nth(l, b);
    return la != lb ? la > lb : a < b;
  };
  if (k < n) std::nth_element(order.begin(), order.begin() + k, order.end(), before);
  order.resize(static_cast<std::size_t>(k));
  if (sampling.top_p < 1) std::sort(order.begin(), order.end(), before);

  const double most = *best;
  std::vector<double> p;
  p.reserve(order.size());
  for (const Id id : order) p.push_back(std::exp((nth(l, id) - most) / sampling.temperature));
  double total = std::accumulate(p.begin(), p.end(), 0.0);
  if (sampling.top_p < 1) {
    double sum = 0;
    std::size_t kept = 0;
    while (kept < p.size() && sum < sampling.top_p * total) sum += p[kept++];
    p.resize(std::max<std::size_t>(kept, 1));
    total = std::accumulate(p.begin(), p.end(), 0.0);
  }
  double point = rng.uniform() * total;
  for (std::size_t i = 0; i < p.size(); ++i)
    if ((point -= p[i]) < 0) return order[i];
  for (std::size_t i = p.size(); i-- > 0;)  // only if rounding leaves a rest
    if (p[i] > 0) return order[i];
  return order[0];
}

}  // namespace graft
