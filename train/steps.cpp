#include "train/steps.h"

#include <cmath>

#include "train/optimizer.h"

namespace graft::train {

std::vector<double> steps(Module& module, Index n, double rate, const std::function<Variable()>& loss,
                          const std::function<void(Index step, double loss)>& progress) {
  expect<ValueError>(n >= 0, "steps: ", n, " steps are asked for");
  NamedParams learning;
  for (const auto& named : module.parameters())
    if (named.second->learns()) learning.push_back(named);
  expect<ValueError>(!learning.empty(), "steps: nothing learns; attach a method, or module.learn(true)");
  AdamW optimizer(learning);
  optimizer.decay = 0;
  optimizer.clear_gradients();
  std::vector<double> losses;
  for (Index step = 0; step < n; ++step) {
    const Variable now = loss();
    losses.push_back(static_cast<double>(now.item()));
    expect<ValueError>(std::isfinite(losses.back()), "steps: the loss of step ", step, " is ", losses.back(),
                       "; a lower rate than ", rate, " may help");
    now.backward();
    optimizer.step(static_cast<real>(rate));
    optimizer.clear_gradients();
    if (progress) progress(step, losses.back());
  }
  return losses;
}

}  // namespace graft::train
