#include "show/plot.h"

#include <algorithm>
#include <cmath>

#include "autograd/errors.h"
#include "show/inside/frame.h"
#include "show/inside/text_pictures.h"
#include "show/inside/words.h"
#include "show/table.h"

namespace graft::show {
namespace {

double x_of(const Curve& curve, std::size_t i) { return curve.x.empty() ? static_cast<double>(i) * curve.every : curve.x[i]; }

/// The numbers of a curve in words: where it begins, its least, where it ends.
struct Facts {
  std::string first = "-", least = "-", last = "-";
  std::size_t drawn = 0;
};
Facts facts(const Curve& curve, const Range& range) {
  Facts f;
  double least = 0;
  for (std::size_t i = 0; i < curve.y.size(); ++i) {
    const double y = curve.y[i];
    if (!range.shows(y)) continue;
    if (f.drawn++ == 0) f.first = number(y);
    if (f.drawn == 1 || y < least) {
      least = y;
      f.least = text(number(y), " at ", number(x_of(curve, i)));
    }
    f.last = number(y);
  }
  return f;
}

std::string in_words(const std::vector<Curve>& curves, const Axes& axes, const Range& range) {
  std::string out = axes.title.empty() ? axes.y + " by " + axes.x : axes.title;
  for (const Curve& curve : curves) {
    const Facts f = facts(curve, range);
    out += "; " + (curve.name.empty() ? axes.y : curve.name);
    out += f.drawn == 0 ? ": nothing to draw" : text(": ", f.first, " at first, ", f.last, " at last, least ", f.least);
  }
  return out;
}

std::string for_terminal(const std::vector<Curve>& curves, const Axes& axes, const Range& range) {
  std::vector<std::vector<std::string>> rows{{"", "", "first", "least", "last"}};
  for (const Curve& curve : curves) {
    const Facts f = facts(curve, range);
    rows.push_back({shortened(plain(curve.name.empty() ? axes.y : curve.name), 30), sparkline(curve.y, 30, axes.log), f.first,
                    f.least, f.last});
  }
  std::string out = axes.title.empty() ? "" : plain(axes.title) + "\n";
  out += plain(axes.y) + " by " + plain(axes.x) + (axes.log ? ", logarithmic" : "");
  if (const std::string level = level_words(axes); !level.empty()) out += "; " + plain(level);
  return out + "\n" + aligned(rows, {false, false, true, true, true});
}

struct Point {
  double x, y;  // shares of the field
};

/// Where many points share a column of pixels: the first, the lowest, the highest and the last of them, in their order.
std::vector<Point> thinned(const std::vector<Point>& points) {
  constexpr double pixels = Frame::width;
  if (static_cast<double>(points.size()) <= 2 * pixels) return points;
  std::vector<Point> kept;
  for (std::size_t begin = 0, end = 0; begin < points.size(); begin = end) {
    const double column = std::floor(points[begin].x * pixels);
    std::size_t low = begin, high = begin;
    for (end = begin; end < points.size() && std::floor(points[end].x * pixels) == column; ++end) {
      if (points[end].y < points[low].y) low = end;
      if (points[end].y > points[high].y) high = end;
    }
    std::vector<std::size_t> few{begin, low, high, end - 1};
    std::sort(few.begin(), few.end());
    few.erase(std::unique(few.begin(), few.end()), few.end());
    for (const std::size_t i : few) kept.push_back(points[i]);
  }
  return kept;
}

void draw(Frame& frame, const std::vector<Point>& piece, std::size_t curve) {
  if (piece.size() == 1) frame.svg.dot(frame.x(piece[0].x), frame.y(piece[0].y), curve);
  if (piece.size() < 2) return;
  std::string points;
  for (const Point& p : thinned(piece)) points += (points.empty() ? "" : " ") + Svg::at(frame.x(p.x), frame.y(p.y));
  frame.svg.polyline(points, curve);
}

void check(const Curve& curve) {
  const auto which = [&] { return "plot: the curve \"" + plain(curve.name) + "\""; };
  expect<ValueError>(std::isfinite(curve.every) && curve.every > 0,
                     [&] { return text(which(), " has points ", curve.every, " apart; give it an `every` above 0"); });
  expect<ValueError>(curve.x.empty() || curve.x.size() == curve.y.size(), [&] {
    return text(which(), " has ", curve.x.size(), " numbers x for ", curve.y.size(), " numbers y; give one for each, or none");
  });
  for (std::size_t i = 0; i < curve.x.size(); ++i)
    expect<ValueError>(std::isfinite(curve.x[i]) && (i == 0 || curve.x[i - 1] <= curve.x[i]),
                       [&] { return text(which(), " has ", curve.x[i], " as x[", i, "]; they must be finite, and ascend"); });
}

}  // namespace

Picture plot(const std::vector<Curve>& curves, const Axes& axes) {
  Range range(axes.log);
  double end = std::isfinite(axes.x_end) ? std::max(0.0, axes.x_end) : 0;
  double begin = 0;
  for (const Curve& curve : curves) {
    check(curve);
    for (const double y : curve.y) range.take(y);
    if (curve.y.empty()) continue;
    begin = std::min(begin, x_of(curve, 0));
    end = std::max(end, x_of(curve, curve.y.size() - 1));
  }
  const bool level = !level_words(axes).empty() && range.shows(axes.level);
  const Range data = range;
  if (level) range.take(axes.level);
  double low = range.empty() ? (axes.log ? 1 : 0) : range.low(), high = range.empty() ? (axes.log ? 10 : 1) : range.high();
  if (!axes.log && low > 0 && low < high / 2) low = 0;
  const Scale over_y(low, high, axes.log), over_x(begin, end > begin ? end : begin + 1);

  std::vector<std::string> legend;
  for (const Curve& curve : curves) legend.push_back(curves.size() == 1 && curve.name == axes.title ? "" : curve.name);
  if (level) legend.push_back(level_words(axes));
  Frame frame(axes, in_words(curves, axes, data), legend, over_y);
  frame.x_axis(over_x, axes.x);
  if (level) frame.level(over_y(axes.level));
  for (std::size_t c = 0; c < curves.size(); ++c) {
    std::vector<Point> piece;
    for (std::size_t i = 0; i < curves[c].y.size(); ++i) {
      if (range.shows(curves[c].y[i])) {
        piece.push_back({over_x(x_of(curves[c], i)), over_y(curves[c].y[i])});
      } else {
        draw(frame, piece, c);
        piece.clear();
      }
    }
    draw(frame, piece, c);
  }
  return {frame.svg.str(), for_terminal(curves, axes, data)};
}

}  // namespace graft::show
