// A bar for each number.
#include <algorithm>
#include <cmath>
#include <sstream>

#include "autograd/errors.h"
#include "show/inside/frame.h"
#include "show/inside/words.h"
#include "show/plot.h"
#include "show/table.h"

namespace graft::show {
namespace {

std::string name_of(const std::vector<std::string>& names, std::size_t i) {
  return names.empty() ? std::to_string(i) : plain(names[i]);
}

std::string for_terminal(const std::vector<double>& y, const Axes& axes, const std::vector<std::string>& names,
                         const Scale& scale) {
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

constexpr double letter = 7, line_height = 16;
constexpr std::size_t longest_upright = 22;

/// At spaces, so that no line is longer than it must be.
std::vector<std::string> wrapped(const std::string& words, std::size_t most) {
  std::vector<std::string> lines{""};
  std::istringstream in(words);
  for (std::string word; in >> word;) {
    if (!lines.back().empty() && columns(lines.back()) + 1 + columns(word) > most) lines.emplace_back();
    lines.back() += (lines.back().empty() ? "" : " ") + word;
  }
  return lines;
}

/// The names under the bars: side by side, on up to three lines each, or else upright.
struct Names {
  std::vector<std::vector<std::string>> lines;
  bool upright = false;
  double foot = 0;        ///< the room that they need beyond one line
  std::size_t every = 1;  ///< of so many, one name is written
};
Names arrange(std::size_t count, const std::vector<std::string>& names, double step) {
  Names all;
  const auto fit = static_cast<std::size_t>(std::max(1.0, (step - 6) / letter));
  std::size_t widest = 0, longest = 0, most_lines = 1;
  for (std::size_t i = 0; i < count; ++i) {
    all.lines.push_back(wrapped(name_of(names, i), fit));
    longest = std::max(longest, columns(name_of(names, i)));
    most_lines = std::max(most_lines, all.lines.back().size());
    for (const std::string& line : all.lines.back()) widest = std::max(widest, columns(line));
  }
  all.upright = !names.empty() && (widest > fit || most_lines > 3);
  double needs = static_cast<double>(widest) * letter + 6;
  if (all.upright) {
    for (std::size_t i = 0; i < count; ++i) all.lines[i] = {shortened(name_of(names, i), longest_upright)};
    all.foot = std::max(0.0, letter * static_cast<double>(std::min(longest, longest_upright)) - 8);
    needs = line_height;
  } else {
    all.foot = line_height * static_cast<double>(most_lines - 1);
  }
  all.every = static_cast<std::size_t>(std::max(1.0, std::ceil(needs / step)));
  return all;
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

  const double left = Frame::left(scale),
               step = (Frame::right - left) / static_cast<double>(std::max<std::size_t>(1, y.size()));
  const Names under = arrange(y.size(), names, step);
  std::string alternative = axes.title.empty() ? axes.y + " by " + axes.x : axes.title;
  alternative += text("; ", y.size(), " bars between ", number(data.low()), " and ", number(data.high()));
  std::vector<std::string> legend;
  if (level) legend.push_back(level_words(axes));
  Frame frame(axes, alternative, legend, scale, under.foot);
  const double zero = frame.y(scale(0)), width = std::min(step - std::min(3.0, step / 5), 72.0);
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double middle = left + step * (static_cast<double>(i) + 0.5);
    if (std::isfinite(y[i])) {
      const double at = frame.y(scale(y[i]));
      frame.svg.bar(middle - width / 2, std::min(at, zero), width, std::abs(at - zero), 0,
                    name_of(names, i) + ": " + number(y[i]));
    }
    if (i % under.every != 0) continue;
    const std::vector<std::string>& lines = under.lines[i];
    if (under.upright) frame.svg.words_upwards(middle + 4.5, frame.bottom() + 8, lines[0], "end", Ink::soft);
    else
      for (std::size_t k = 0; k < lines.size(); ++k)
        frame.svg.words(middle, frame.bottom() + 18 + line_height * static_cast<double>(k), lines[k], "middle", Ink::soft);
  }
  frame.svg.line(left, zero, Frame::right, zero, Ink::soft);
  if (level) frame.level(scale(axes.level));
  frame.x_words(axes.x, 36 + under.foot);
  return {frame.svg.str(), for_terminal(y, axes, names, scale)};
}

}  // namespace graft::show
