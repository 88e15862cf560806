// Complete generation with a language model: read this before generate.h, which caches the keys and
// values of what it has read, and generates many rows at once.
#pragma once
#include <algorithm>
#include <cmath>
#include <vector>

#include "autograd/rng.h"
#include "nn/model.h"

namespace graft::clear {

/// The prompt and `count` more tokens. Each is the most likely one (temperature 0), or drawn from
/// p(i) = exp(l_i/temperature) / Σ_j exp(l_j/temperature), with the logits l of the last place.
inline std::vector<Id> generate(Model& model, std::vector<Id> ids, Index count,
                                double temperature, Rng& rng) {
  const NoGrad constant;
  for (; count > 0; --count) {
    const Index T = static_cast<Index>(ids.size()), V = model.vocabulary();
    const Tensor logits = model(Ids({1, T}, ids)).value();  // (1, T, V)
    const real* l = logits.data() + (T - 1) * V;
    Id next = static_cast<Id>(std::max_element(l, l + V) - l);
    if (temperature > 0) {
      const double most = static_cast<double>(l[next]);
      std::vector<double> up_to;  // p(0) + .. + p(i), times a constant
      for (Index i = 0; i < V; ++i)
        up_to.push_back((i > 0 ? up_to.back() : 0) +
                        std::exp((static_cast<double>(l[i]) - most) / temperature));
      const double at = rng.uniform() * up_to.back();
      next = static_cast<Id>(std::upper_bound(up_to.begin(), up_to.end(), at) - up_to.begin());
    }
    ids.push_back(next);
  }
  return ids;
}

}  // namespace graft::clear
