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
  Frame(const Axes& axes, const std::string& alternative, const std::vector<std::string>& legend, const Scale& over_y,
        double foot = 0);

  static constexpr double width = 600, field_height = 200, right = width - 16;
  static double left(const Scale& over_y);  ///< of the field: what the numbers of the y axis leave
  double bottom() const { return top_ + field_height; }
  double x(double share) const { return left_ + share * (right - left_); }
  double y(double share) const { return bottom() - share * field_height; }

  void x_axis(const Scale& scale, const std::string& words);
  void x_words(const std::string& words, double below);
  void level(double share);

  Svg svg;

 private:
  struct Rows;  // of the legend
  Frame(const Axes& axes, const std::string& alternative, const Rows& legend, const Scale& over_y, double foot);
  double left_, top_;
};

/// The line of the legend for axes.level; "" if there is none.
std::string level_words(const Axes& axes);

}  // namespace graft::show
