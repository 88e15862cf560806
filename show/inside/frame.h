// What curves and bars have in common: a title, a legend above the field, and the axes around it.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "show/inside/scale.h"
#include "show/inside/svg.h"
#include "show/plot.h"

namespace graft::show {

class Frame {
 public:
  /// An entry of the legend for each name that is not empty. foot: what is written below the field needs as much more.
  Frame(const Axes& axes, const std::string& alternative, const std::vector<std::string>& legend, double foot = 0);

  static constexpr double width = 600, field_left = 66, field_right = width - 16, field_height = 200;
  double top() const { return top_; }
  double bottom() const { return top_ + field_height; }
  double x(double share) const { return field_left + share * (field_right - field_left); }
  double y(double share) const { return bottom() - share * field_height; }

  void y_axis(const Scale& scale, const std::string& words);
  void x_axis(const Scale& scale, const std::string& words);
  void x_words(const std::string& words, double below);
  void level(double share);

  Svg svg;

 private:
  Frame(const Axes& axes, const std::string& alternative, const std::vector<std::string>& legend, double foot, int rows);
  double top_;
};

/// The line of the legend for axes.level; "" if there is none.
std::string level_words(const Axes& axes);

}  // namespace graft::show
