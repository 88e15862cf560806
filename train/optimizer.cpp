#include "train/optimizer.h"

#include <cmath>
#include <set>

#include "autograd/kernels.h"

namespace graft::train {
namespace {

/// A parameter does not know its path, but the message about a missing initialization needs it.
const Variable& own(const std::pair<std::string, Param*>& named) {
  expect<ValueError>(named.second->initialized(), "parameter ", named.first, " ", named.second->shape(),
                     " has no numbers yet; load the model from a file, or initialize() it");
  return named.second->own();
}

}  // namespace

Optimizer::Optimizer(std::vector<Group> groups) : groups_(std::move(groups)) {
  std::set<const void*> seen;
  for (const Group& group : groups_)
    for (const auto& named : group.parameters) {
      expect<ValueError>(named.second->learns(), "optimizer: ", named.first,
                         " is frozen; give only what learning() lists");
      expect<ValueError>(seen.insert(named.second->identity()).second, "optimizer: ", named.first, " is listed twice");
      watched_.push_back(named.second->watch());
    }
  expect<ValueError>(!watched_.empty(), "optimizer: no parameters given, so nothing is trained; learning() lists them once ",
                     "a method is attached");
}

void Optimizer::expect_there() const {
  std::size_t i = 0;
  for (const Group& group : groups_)
    for (const auto& named : group.parameters)
      expect<ValueError>(!watched_[i++].expired(), "optimizer: ", named.first, " is gone: it was detached, folded or ",
                         "flattened since the optimizer was made; make a new one from learning()");
}

void Optimizer::step(real rate) {
  expect<ValueError>(std::isfinite(rate) && rate >= 0, "optimizer: a rate of ", rate, "; it must be a number, and not below 0");
  expect_there();
  bool any = false;
  for (const Group& group : groups_)
    for (const auto& named : group.parameters) any = any || own(named).grad().defined();
  expect<ValueError>(any, "optimizer: none of its ", watched_.size(), " parameters has a gradient. Either backward() was ",
                     "forgotten, or the optimizer was made before attach(), which froze them: make it afterwards, from ",
                     "learning()");
  ++steps_;
  for (const Group& group : groups_)
    for (const auto& named : group.parameters) {
      const Variable& variable = own(named);
      if (!variable.grad().defined()) continue;
      Tensor w = variable.value();
      update(named.first, w, variable.grad(), rate * group.factor, group.decays);
    }
}

void Optimizer::clear_gradients() {
  expect_there();
  for (const Group& group : groups_)
    for (const auto& named : group.parameters) {
      Variable variable = named.second->own();
      variable.clear_grad();
    }
}

Tensor& Optimizer::slot(const std::string& path, const std::string& what, const Shape& shape) {
  Tensor& kept = slots_[path + "." + what];
  if (!kept.defined()) {
    kept = Tensor(shape, 0);
    kept.retag(Category::optimizer);
  }
  return kept;
}

std::map<std::string, Tensor> Optimizer::state() const {
  std::map<std::string, Tensor> all = slots_;
  // As two numbers below 2^24, which single precision represents exactly.
  all["steps"] = Tensor(Shape{2}, {static_cast<real>(steps_ >> 24), static_cast<real>(steps_ & 0xffffff)});
  return all;
}

void Optimizer::check(const std::map<std::string, Tensor>& state) const {
  expect_there();
  std::map<std::string, Shape> shapes;
  for (const Group& group : groups_)
    for (const auto& named : group.parameters)
      for (const auto& [what, shape] : kept(named.second->shape())) shapes.emplace(named.first + "." + what, shape);
  const auto steps = state.find("steps");
  expect<ValueError>(steps != state.end() && steps->second.numel() == 2,
                     "optimizer: the state does not say how many steps were made");
  for (const Index i : {Index(0), Index(1)}) {  // two halves of 24 bits
    const double half = static_cast<double>(steps->second[i]);
    expect<ValueError>(half >= 0 && half < (1 << 24) && half == std::floor(half), "optimizer: the state says that ", half,
                       " steps were made, which is not a count");
  }
  for (const auto& entry : state) {
    if (entry.first == "steps") continue;
    const auto known = shapes.find(entry.first);
    expect<ValueError>(known != shapes.end(), "optimizer: the state has \"", entry.first,
                       "\", which belongs to no parameter here");
    expect<ValueError>(known->second == entry.second.shape(), "optimizer: \"", entry.first, "\" has shape ",
                       entry.second.shape(), ", but the parameter ", known->second);
  }
}

void Optimizer::restart(const std::map<std::string, Tensor>& state) {
  const Tensor& steps = state.at("steps");
  slots_.clear();
  steps_ = (static_cast<Index>(steps[0]) << 24) + static_cast<Index>(steps[1]);
}

void Optimizer::load(const std::map<std::string, Tensor>& state) {
  check(state);
  restart(state);
  for (const auto& entry : state) {
    if (entry.first == "steps") continue;
    const std::size_t dot = entry.first.rfind('.');
    slot(entry.first.substr(0, dot), entry.first.substr(dot + 1), entry.second.shape()).copy_from(entry.second);
  }
}

// --- SGD -----------------------------------------------------------------------------------------------------------------

std::map<std::string, Shape> Sgd::kept(const Shape& w) const {
  return momentum == 0 ? std::map<std::string, Shape>{} : std::map<std::string, Shape>{{"momentum", w}};
}

void Sgd::update(const std::string& path, Tensor& w, const Tensor& g, real rate, bool decays) {
  real* to = w.write();
  real* v = momentum == 0 ? nullptr : slot(path, "momentum", w.shape()).write();
  for (Index i = 0; i < w.numel(); ++i) {
    real d = decays ? g[i] + decay * to[i] : g[i];
    if (v) d = v[i] = momentum * v[i] + d;
    to[i] -= rate * d;
  }
}

// --- AdamW ---------------------------------------------------------------------------------------------------------------

kernel::AdamStep AdamW::at_step(real rate, bool decays) const {
  const double t = static_cast<double>(steps());
  kernel::AdamStep a{};
  a.shrink = decays ? 1 - rate * decay : real(1);
  a.beta1 = beta1, a.beta2 = beta2, a.eps = eps;
  a.rate = static_cast<real>(rate / (1 - std::pow(static_cast<double>(beta1), t)));
  a.root = static_cast<real>(std::sqrt(1 - std::pow(static_cast<double>(beta2), t)));
  return a;
}

void AdamW::update(const std::string& path, Tensor& w, const Tensor& g, real rate, bool decays) {
  Tensor& m = slot(path, "exp_avg", w.shape());
  Tensor& v = slot(path, "exp_avg_sq", w.shape());
  kernel::adam(w.write(), g.data(), m.write(), v.write(), w.numel(), at_step(rate, decays));
}

// --- clipping ------------------------------------------------------------------------------------------------------------

double clip_gradients(const NamedParams& parameters, double largest) {
  expect<ValueError>(largest > 0, "clip_gradients: the largest norm is ", largest, ", but must be positive");
  double sum = 0;
  for (const auto& named : parameters) {
    const Tensor& g = own(named).grad();
    for (Index i = 0; i < g.numel(); ++i) sum += static_cast<double>(g[i]) * static_cast<double>(g[i]);
  }
  const double norm = std::sqrt(sum), factor = largest / (norm + 1e-6);
  if (factor >= 1) return norm;
  for (const auto& named : parameters) {
    const Tensor& g = named.second->own().grad();
    if (!g.defined()) continue;
    Variable variable = named.second->own();
    variable.set_grad(kernel::scale(g, static_cast<real>(factor)));
  }
  return norm;
}

}  // namespace graft::train
