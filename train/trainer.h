// The training loop: steps, evaluations, keeping the best, early stopping, checkpoints. It does not depend on what is trained:
// a Task gives gradients and the loss on held-out data.
#pragma once
#include <functional>
#include <limits>
#include <map>
#include <string>

#include "train/optimizer.h"
#include "train/schedule.h"

namespace graft::train {

/// What is trained.
struct Task {
  virtual ~Task() = default;
  /// Adds the gradients of step s to the parameters'; returns its loss.
  virtual double gradients(Index step) = 0;
  /// Scales gradients so that their norm is at most `largest` (0: leaves them); returns the norm before.
  virtual double clip(double largest) = 0;
  /// The loss on held-out data; lower is better.
  virtual double validate() = 0;
  virtual std::string batch(Index step) const = 0;  ///< what step s is trained on, for messages: "examples 3, 17"
};

struct Plan {
  Schedule schedule;         ///< with the number of steps
  double clip = 0;           ///< largest norm of the gradients; 0: none
  Index evaluate_every = 0;  ///< steps between evaluations, with one more at the end; 0: none at all
  Index patience = 0;        ///< stop after this many evaluations in a row without improvement; 0: never
  Index save_every = 0;      ///< steps between checkpoints; 0: none but when the training ends or is stopped

  Plan() = default;
  /// This many steps at a rate that falls along a cosine, with gradients clipped at a norm of 1.
  Plan(Index steps, double rate) : clip(1) { schedule.steps = steps, schedule.rate = rate; }
};

/// The progress: what a checkpoint holds besides parameters, optimizer and random numbers.
struct TrainingState {
  Index step = 0;  ///< completed steps
  double best = std::numeric_limits<double>::infinity();
  Index best_step = -1;  ///< after how many steps; -1: no evaluation yet
  Index worse = 0;       ///< evaluations since
  double first = 0;      ///< the mean loss of the first steps, and how many steps in a row were far above it
  Index above = 0;

  std::map<std::string, std::string> metadata() const;                       ///< for save_checkpoint()
  static TrainingState from(const std::map<std::string, std::string>& metadata);  ///< Errors: FormatError
};

struct Hooks {
  struct Step {
    Index step;  ///< completed steps
    double loss, norm, rate, seconds;
  };
  std::function<void(const Step&)> on_step;
  std::function<void(const TrainingState&, double loss, bool best)> on_evaluation;  ///< best: keep these parameters
  std::function<void(const TrainingState&)> save;                               ///< write a checkpoint now
  std::function<bool()> stop;                                              ///< asked after every step
};

enum class End { steps, patience, stopped };

/// Continues from `progress` until the plan's steps are done, patience runs out or stop() is true; then writes a checkpoint.
/// Errors: ValueError if a loss or a gradient is not a number, or the loss climbs far above where it began and stays there
/// (20 steps in a row more than twice the mean of the first 10, and at least 1 above it): the message says which step, on
/// what, and what to do. The parameters are then as before that step, and no checkpoint is written.
End run(Task& task, Optimizer& optimizer, const Plan& plan, TrainingState& progress, const Hooks& hooks = {});
/// The same from the beginning; returns the final state.
TrainingState run(Task& task, Optimizer& optimizer, const Plan& plan, const Hooks& hooks = {});

}  // namespace graft::train
