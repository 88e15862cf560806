// Optimizers: what turns gradients into steps. As in PyTorch, to the order of operations.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "nn/module.h"

namespace graft::kernel {
struct AdamStep;
}

namespace graft::train {

using NamedParams = std::vector<std::pair<std::string, Param*>>;

/// Parameters with a learning rate of their own: the optimizer's rate times `factor` (1 is the optimizer's own).
struct Group {
  NamedParams parameters;
  real factor = 1;
  bool decays = true;  ///< does weight decay apply?
};

class Optimizer {
 public:
  /// Errors: ValueError if a parameter is frozen or listed twice, or if there are none.
  explicit Optimizer(std::vector<Group> groups);
  explicit Optimizer(NamedParams parameters) : Optimizer(std::vector<Group>{{std::move(parameters)}}) {}
  virtual ~Optimizer() = default;

  /// One step along the existing gradients; parameters without one are unchanged. rate: the learning rate of this step.
  /// Errors: ValueError, and nothing has changed, if the rate is negative or no number, if no parameter has a gradient, or if one
  /// is gone since the optimizer was made.
  void step(real rate);
  void clear_gradients();
  Index steps() const { return steps_; }

  /// All that the next step depends on, except the parameters: tensors by "<path>.<what>". load() takes just these back.
  /// Errors of load: ValueError names what is missing, unknown or of another shape; nothing is changed then.
  virtual std::map<std::string, Tensor> state() const;
  virtual void load(const std::map<std::string, Tensor>& state);

  const std::vector<Group>& groups() const { return groups_; }

 protected:
  /// w changes along its gradient g; slot() gives the numbers kept for it.
  virtual void update(const std::string& path, Tensor& w, const Tensor& g, real rate, bool decays) = 0;
  /// What is kept for a parameter of shape w, by name: "exp_avg", ...
  virtual std::map<std::string, Shape> kept(const Shape& w) const = 0;
  void check(const std::map<std::string, Tensor>& state) const;  ///< what load() refuses
  void restart(const std::map<std::string, Tensor>& state);      ///< clears the moments, sets the number of steps
  /// The numbers kept under this name, zeros at first.
  Tensor& slot(const std::string& path, const std::string& what, const Shape& shape);

 private:
  void expect_there() const;
  std::vector<Group> groups_;
  std::vector<std::weak_ptr<Param>> watched_;  // all of all groups, in their order
  std::map<std::string, Tensor> slots_;
  Index steps_ = 0;
};

/// w ← w - rate·v, v ← momentum·v + g (+ decay·w)      Sutskever et al. 2013, as torch.optim.SGD
struct Sgd : Optimizer {
  real momentum = 0, decay = 0;
  using Optimizer::Optimizer;

 protected:
  void update(const std::string& path, Tensor& w, const Tensor& g, real rate, bool decays) override;
  std::map<std::string, Shape> kept(const Shape& w) const override;
};

/// Loshchilov & Hutter 2019, "Decoupled weight decay regularization", algorithm 2, as torch.optim.AdamW:
///     w ← w - rate·decay·w      m ← β₁m + (1 - β₁)g      v ← β₂v + (1 - β₂)g²
///     w ← w - rate/(1 - β₁ᵗ)·m / (√v/√(1 - β₂ᵗ) + eps)
struct AdamW : Optimizer {
  real beta1 = real(0.9), beta2 = real(0.999), eps = real(1e-8), decay = real(0.01);
  using Optimizer::Optimizer;

 protected:
  void update(const std::string& path, Tensor& w, const Tensor& g, real rate, bool decays) override;
  std::map<std::string, Shape> kept(const Shape& w) const override { return {{"exp_avg", w}, {"exp_avg_sq", w}}; }
  kernel::AdamStep at_step(real rate, bool decays) const;
};

/// √(Σ g²) over all gradients; scales them down so that it is at most `largest` (Pascanu et al. 2013, as torch's
/// clip_grad_norm_, whose eps of 1e-6 it has). Returns the norm before. Errors: ValueError unless largest > 0.
double clip_gradients(const NamedParams& parameters, double largest);

}  // namespace graft::train
