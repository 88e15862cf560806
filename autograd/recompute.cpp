#include "autograd/recompute.h"

#include <algorithm>
#include <cstring>

namespace graft {
namespace {

/// The inputs as fresh leaves: a run on them has its own graph.
std::vector<Variable> fresh(const std::vector<Saved>& values, const std::vector<bool>& learns) {
  std::vector<Variable> inputs;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Tensor& x = values[i];
    inputs.emplace_back(x, std::make_shared<Node>("recompute input", x.shape(), Node::State::leaf, learns[i]));
  }
  return inputs;
}

/// A number that changes with any bit of t: the second run of f must give the first one's result.
std::uint64_t hash_of(const Tensor& t) {
  std::uint64_t sum = 0, bits = 0;
  for (Index i = 0; i < t.numel(); ++i) {
    std::memcpy(&bits, t.data() + i, sizeof(real));
    sum += (bits + 1) * (2 * static_cast<std::uint64_t>(i) + 1);
  }
  return sum;
}

Variable run(const std::function<Variable(const std::vector<Variable>&, Rng&)>& f, const std::vector<Variable>& inputs,
             Rng& rng) {
  const WithGrad recorded;  // backward itself records nothing
  return f(inputs, rng);
}

}  // namespace

Variable recompute(const std::function<Variable(const std::vector<Variable>&, Rng&)>& f, const std::vector<Variable>& inputs,
                   Rng& rng) {
  expect<ValueError>(f != nullptr, "recompute: f is empty; give the function to run");
  if (!recording()) return f(inputs, rng);
  std::vector<Saved> values;
  std::vector<bool> learns;
  for (const Variable& x : inputs) {
    expect<ValueError>(x.defined(), "recompute: input ", values.size(), " is empty");
    values.emplace_back(x);
    learns.push_back(x.learns());
  }
  const Rng before = rng;

  // The first run is recorded only to find what f reaches beyond its inputs; its graph is freed at the end of this block.
  Tensor y;
  std::vector<Variable> reached = inputs;
  std::vector<std::shared_ptr<Node>> beyond;  // parameters and other history that f uses besides its inputs
  {
    const std::vector<Variable> leaves = fresh(values, learns);
    const std::uint64_t boundary = next_sequence();
    const Variable result = f(leaves, rng);
    y = result.value();
    if (!result.learns()) return Variable(y);  // f uses no input that learns
    for (const std::shared_ptr<Node>& end : frontier(result, boundary)) {
      const bool is_input = std::any_of(leaves.begin(), leaves.end(), [&](const Variable& x) { return x.node() == end; });
      if (is_input) continue;
      beyond.push_back(end);
      reached.emplace_back(Tensor(), end);
    }
  }

  const auto second_run = [f, values, learns, beyond, before, shape = y.shape(), first = hash_of(y)](
                              const Tensor& dy, const std::vector<bool>& wanted) {
    const std::vector<Variable> leaves = fresh(values, learns);
    Rng replay = before;
    const std::uint64_t boundary = next_sequence();
    const Variable again = run(f, leaves, replay);
    expect<GraphError>(again.shape() == shape && hash_of(again.value()) == first, "recompute: the second run of f gave ",
                       again.shape(), " with other numbers than the first run's ", shape,
                       "; a weight was changed before backward(), or f draws random numbers from something other than its Rng");
    std::vector<Tensor> gradients(wanted.size());
    if (again.learns()) {
      for (auto& [node, grad] : backward_to(again, dy, boundary)) {
        for (std::size_t i = 0; i < leaves.size(); ++i)
          if (leaves[i].node() == node) gradients[i] = grad;
        for (std::size_t i = 0; i < beyond.size(); ++i)
          if (beyond[i] == node) gradients[leaves.size() + i] = grad;
      }
    }
    for (std::size_t i = 0; i < gradients.size(); ++i)  // f does not use it, or learn(false) was called since
      if (wanted[i] && !gradients[i].defined())
        gradients[i] = Tensor(i < leaves.size() ? leaves[i].shape() : beyond[i - leaves.size()]->shape, 0);
    return gradients;
  };
  return record_joint("recompute", y, reached, second_run);
}

Variable recompute(const std::function<Variable(const std::vector<Variable>&)>& f, const std::vector<Variable>& inputs) {
  expect<ValueError>(f != nullptr, "recompute: f is empty; give the function to run");
  Rng none;
  return recompute([f](const std::vector<Variable>& x, Rng&) { return f(x); }, inputs, none);
}

}  // namespace graft
