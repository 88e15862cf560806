// Curves and bars.
#pragma once
#include <string>
#include <vector>

#include "show/picture.h"

namespace graft::show {

struct Curve {
  std::string name = {};
  std::vector<double> y = {};  ///< what is not finite leaves a gap
  double every = 1;            ///< x of y[i] is i · every,
  std::vector<double> x = {};  ///< or these, in ascending order
};
struct Axes {
  std::string title = {}, x = "step", y = "loss";
  bool log = false;             ///< y on a logarithmic axis; what is not above 0 is left out. For curves
  double level = 0;             ///< a dashed line there: what guessing costs, the best that can be had; 0: none
  std::string level_name = {};  ///< what it is, for the legend; empty: only its number
  double x_end = 0;             ///< the x axis of curves reaches there at least, as for a training that goes on
};
/// Curves differ in colour and in dashes. Of more points than pixels, the extremes are kept.
/// Errors: ValueError for an `every` that is not above 0; for x of another number than y, not finite, or not ascending.
Picture plot(const std::vector<Curve>& curves, const Axes& axes = {});

/// A bar for each number, upwards or downwards; none for one that is not finite. names: one under each; empty: 0, 1, 2, …
/// Errors: ValueError for another number of names than of bars.
Picture bars(const std::vector<double>& y, const Axes& axes = {}, const std::vector<std::string>& names = {});

}  // namespace graft::show
