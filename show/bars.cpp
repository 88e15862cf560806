// A bar for each number.
#include <algorithm>
#include <cmath>

#include "autograd/errors.h"
#include "show/inside/frame.h"
#include "show/inside/words.h"
#include "show/plot.h"
#include "show/table.h"

namespace graft::show {
namespace {

std::string name_of(const std::vector<std::string>& names, std::size_t i) { return names.empty() ? std::to_string(i) : plain(names[i]); }

std::string for_terminal(const std::vector<double>& y, const Axes& axes, const std::vector<std::string>& names, const Scale& scale) {
  constexpr std::size_t most = 64, length = 30;
  std::vector<std::vector<std::string>> rows;
  const double zero = scale(0);
  for (std::size_t i = 0; i < std::min(most, y.size()); ++i) {
    std::string bar;
    if (std::isfinite(y[i]))
      for (double k = 0; k < std::round(std::abs(scale(y[i]) - zero) * length); ++k) bar += y[i] < 0 ? "░" : "█";
    rows.push_back({shortened(name_of(names, i), 20), number(y[i]), bar});
  }
  std::string out = plain(axes.title.empty() ? axes.y + " by " + axes.x : axes.title) + "\n";
  out += aligned(rows, {false, true, false});
  if (y.size() > most) out += text("… and ", y.size() - most, " more\n");
  return out;
}

}  // namespace

Picture bars(const std::vector<double>& y, const Axes& axes, const std::vector<std::string>& names) {
  expect<ValueError>(names.empty() || names.size() == y.size(), "bars: ", names.size(), " names for ", y.size(),
                     " bars; give one for each, or none");
  Range range;
  range.take(0);
  for (const double v : y) range.take(v);
  const Range data = range;
  const bool level = !level_words(axes).empty();
  if (level) range.take(axes.level);
  const Scale scale(range.low(), range.high());

  const double step = (Frame::field_right - Frame::field_left) / static_cast<double>(std::max<std::size_t>(1, y.size()));
  std::size_t longest = 0;
  for (std::size_t i = 0; i < y.size(); ++i) longest = std::max(longest, std::min<std::size_t>(14, columns(name_of(names, i))));
  const bool upright = !names.empty() && static_cast<double>(longest) * 7.2 + 6 > step;  // names that lie would overlap
  const double foot = upright ? static_cast<double>(longest) * 7.2 - 10 : 0;
  std::string alternative = axes.title.empty() ? axes.y + " by " + axes.x : axes.title;
  alternative += text("; ", y.size(), " bars between ", number(data.low()), " and ", number(data.high()));
  std::vector<std::string> legend;
  if (level) legend.push_back(level_words(axes));
  Frame frame(axes, alternative, legend, std::max(0.0, foot));
  frame.y_axis(scale, axes.y);
  const double zero = frame.y(scale(0)), gap = std::min(3.0, step / 5);
  const auto every = static_cast<std::size_t>(std::ceil((upright ? 15 : static_cast<double>(longest) * 7.2 + 6) / step));  // of the names
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double x = Frame::field_left + step * static_cast<double>(i);
    if (std::isfinite(y[i])) {
      const double at = frame.y(scale(y[i]));
      frame.svg.bar(x + gap / 2, std::min(at, zero), step - gap, std::abs(at - zero), 0, name_of(names, i) + ": " + number(y[i]));
    }
    if (i % std::max<std::size_t>(1, every) != 0) continue;
    const std::string name = shortened(name_of(names, i), 14);
    if (upright) frame.svg.words_upwards(x + step / 2 + 4.5, frame.bottom() + 8, name, "end", Ink::soft);
    else frame.svg.words(x + step / 2, frame.bottom() + 18, name, "middle", Ink::soft);
  }
  frame.svg.line(Frame::field_left, zero, Frame::field_right, zero, Ink::soft);
  if (level) frame.level(scale(axes.level));
  frame.x_words(axes.x, 36 + std::max(0.0, foot));
  return {frame.svg.str(), for_terminal(y, axes, names, scale)};
}

}  // namespace graft::show
