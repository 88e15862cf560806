#include "show/inside/frame.h"

#include <algorithm>
#include <cmath>

#include "autograd/errors.h"
#include "show/inside/words.h"
#include "show/table.h"

namespace graft::show {
namespace {

constexpr double letter = 7.2, row_height = 20, sample_width = 36,
                 between = 20;  // letter: about as wide as one of 13 pixels is

std::size_t widest(const std::vector<Scale::Tick>& ticks) {
  std::size_t most = 0;
  for (const Scale::Tick& tick : ticks) most = std::max(most, columns(tick.words));
  return most;
}

}  // namespace

std::string level_words(const Axes& axes) {
  if (axes.level == 0 || !std::isfinite(axes.level)) return "";
  return axes.level_name.empty() ? number(axes.level) : axes.level_name + ": " + number(axes.level);
}

double Frame::left(const Scale& over_y) { return 40 + letter * static_cast<double>(widest(over_y.ticks())); }

/// The legend's entries side by side, in as many rows as they need.
struct Frame::Rows {
  struct Entry {
    std::string name;
    double x;
    int row;
    std::size_t curve;
  };
  std::vector<Entry> entries;

  Rows(const std::vector<std::string>& names, double left) {
    double x = left;
    int row = 0;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i].empty()) continue;
      const std::string name = shortened(plain(names[i]), 60);
      const double needs = sample_width + letter * static_cast<double>(columns(name));
      if (x > left && x + needs > Frame::right) x = left, ++row;
      entries.push_back({name, x, row, i});
      x += needs + between;
    }
  }
  double height() const { return entries.empty() ? 0 : row_height * (entries.back().row + 1); }
};

Frame::Frame(const Axes& axes, const std::string& alternative, const std::vector<std::string>& legend, const Scale& over_y,
             double foot)
    : Frame(axes, alternative, Rows(legend, left(over_y)), over_y, foot) {}

Frame::Frame(const Axes& axes, const std::string& alternative, const Rows& legend, const Scale& over_y, double foot)
    : svg(width, (axes.title.empty() ? 16 : 36) + legend.height() + field_height + 46 + foot, alternative),
      left_(left(over_y)),
      top_((axes.title.empty() ? 16 : 36) + legend.height()) {
  if (!axes.title.empty()) svg.words(16, 23, shortened(plain(axes.title), 78), "start", Ink::words, true);
  for (const Rows::Entry& entry : legend.entries) {
    const double y = (axes.title.empty() ? 18 : 38) + row_height * entry.row;
    const bool is_level = &entry == &legend.entries.back() && !level_words(axes).empty();
    if (is_level) svg.line(entry.x, y, entry.x + 28, y, Ink::words, 1.5, "4 3");
    else svg.sample(entry.x, y, entry.curve);
    svg.words(entry.x + sample_width, y + 4.5, entry.name);
  }
  for (const Scale::Tick& tick : over_y.ticks()) {
    const double at = y(over_y(tick.x));
    svg.line(left_, at, right, at, Ink::grid);
    svg.words(left_ - 7, at + 4.5, tick.words, "end", Ink::soft);
  }
  if (!axes.y.empty()) svg.words_upwards(17, top_ + field_height / 2, shortened(plain(axes.y), 28), "middle");
}

void Frame::x_axis(const Scale& scale, const std::string& words) {
  for (const Scale::Tick& tick : scale.ticks(scale.high() >= 1)) {
    svg.line(x(scale(tick.x)), bottom(), x(scale(tick.x)), bottom() + 4, Ink::soft);
    svg.words(x(scale(tick.x)), bottom() + 18, tick.words, "middle", Ink::soft);
  }
  x_words(words, 36);
}

void Frame::x_words(const std::string& words, double below) {
  if (!words.empty()) svg.words((left_ + right) / 2, bottom() + below, shortened(plain(words), 60), "middle");
}

void Frame::level(double share) {
  svg.line(left_, y(share), right, y(share), Ink::card, 3);  // so that it shows on a bar, too
  svg.line(left_, y(share), right, y(share), Ink::words, 1.5, "4 3");
}

}  // namespace graft::show
