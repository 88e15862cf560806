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

struct Entry {
  double x;
  int row;
};
/// Entries side by side, in as many rows as they need.
std::vector<Entry> arrange(const std::vector<std::string>& legend) {
  std::vector<Entry> all;
  double x = Frame::field_left;
  int row = 0;
  for (const std::string& name : legend) {
    const double needs = sample_width + letter * static_cast<double>(columns(name));
    if (x > Frame::field_left && x + needs > Frame::field_right) x = Frame::field_left, ++row;
    all.push_back({x, row});
    if (!name.empty()) x += needs + between;
  }
  return all;
}

std::vector<std::string> short_names(std::vector<std::string> legend) {
  for (std::string& name : legend) name = shortened(plain(name), 60);
  return legend;
}

int rows_of(const std::vector<std::string>& legend) {
  const bool none = std::all_of(legend.begin(), legend.end(), [](const std::string& name) { return name.empty(); });
  return none ? 0 : arrange(short_names(legend)).back().row + 1;
}

}  // namespace

std::string level_words(const Axes& axes) {
  if (axes.level == 0 || !std::isfinite(axes.level)) return "";
  return axes.level_name.empty() ? number(axes.level) : axes.level_name + ": " + number(axes.level);
}

Frame::Frame(const Axes& axes, const std::string& alternative, const std::vector<std::string>& legend, double foot)
    : Frame(axes, alternative, legend, foot, rows_of(legend)) {}

Frame::Frame(const Axes& axes, const std::string& alternative, const std::vector<std::string>& legend, double foot, int rows)
    : svg(width, (axes.title.empty() ? 16 : 36) + row_height * rows + field_height + 46 + foot, alternative),
      top_((axes.title.empty() ? 16 : 36) + row_height * rows) {
  if (!axes.title.empty()) svg.words(16, 23, shortened(plain(axes.title), 78), "start", Ink::words, true);
  const std::vector<std::string> names = short_names(legend);
  const std::vector<Entry> places = arrange(names);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty()) continue;
    const double y = (axes.title.empty() ? 18 : 38) + row_height * places[i].row;
    const bool is_level = i + 1 == names.size() && !level_words(axes).empty();
    if (is_level) svg.line(places[i].x, y, places[i].x + 28, y, Ink::words, 1.5, "4 3");
    else svg.sample(places[i].x, y, i);
    svg.words(places[i].x + sample_width, y + 4.5, names[i]);
  }
}

void Frame::y_axis(const Scale& scale, const std::string& words) {
  for (const Scale::Tick& tick : scale.ticks()) {
    const double at = y(scale(tick.x));
    svg.line(field_left, at, field_right, at, Ink::grid);
    svg.words(field_left - 7, at + 4.5, tick.words, "end", Ink::soft);
  }
  if (!words.empty()) svg.words_upwards(17, (top() + bottom()) / 2, shortened(plain(words), 28), "middle");
}

void Frame::x_axis(const Scale& scale, const std::string& words) {
  for (const Scale::Tick& tick : scale.ticks(scale.high() >= 1)) {
    svg.line(x(scale(tick.x)), bottom(), x(scale(tick.x)), bottom() + 4, Ink::soft);
    svg.words(x(scale(tick.x)), bottom() + 18, tick.words, "middle", Ink::soft);
  }
  x_words(words, 36);
}

void Frame::x_words(const std::string& words, double below) {
  if (!words.empty()) svg.words((field_left + field_right) / 2, bottom() + below, shortened(plain(words), 60), "middle");
}

void Frame::level(double share) {
  svg.line(field_left, y(share), field_right, y(share), Ink::card, 3);  // so that it shows on a bar, too
  svg.line(field_left, y(share), field_right, y(share), Ink::words, 1.5, "4 3");
}

}  // namespace graft::show
