#include "show/heat_map.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "autograd/errors.h"
#include "autograd/sizes.h"
#include "show/inside/svg.h"
#include "show/inside/words.h"
#include "show/table.h"

namespace graft::show {
namespace {

constexpr Index most_numbers = 65536, most_with_tips = 2048;
constexpr double margin = 12, letter = 7.2, widest = 576, highest = 420;

struct Facts {
  double least = 0, largest = 0, sum = 0, far = 0;  // far: the largest absolute number
  Index least_at = -1, largest_at = -1, finite = 0;
};
Facts facts(const Tensor& W) {
  Facts f;
  for (Index i = 0; i < W.numel(); ++i) {
    const auto w = static_cast<double>(W[i]);
    if (!std::isfinite(w)) continue;
    if (f.finite++ == 0 || w < f.least) f.least = w, f.least_at = i;
    if (f.finite == 1 || w > f.largest) f.largest = w, f.largest_at = i;
    f.sum += w;
    f.far = std::max(f.far, std::abs(w));
  }
  return f;
}

/// The matrix as it is drawn: maybe on its side.
struct Field {
  const Tensor& W;
  Index rows, columns;
  bool on_side;
  const std::vector<std::string>&row_names, &column_names;

  Index place(Index row, Index column) const { return on_side ? column * rows + row : row * columns + column; }
  std::string at(Index i) const {  // as an index of W
    const Index width = on_side ? rows : columns;
    return W.rank() == 1 ? text('[', i, ']') : text('[', i / width, ", ", i % width, ']');
  }
};

std::string caption(const Field& field, const Facts& f) {
  std::string out = field.W.shape().str();
  if (f.finite > 0) out += text(", ", number(f.least), " to ", number(f.largest));
  if (f.finite < field.W.numel()) out += text(", ", field.W.numel() - f.finite, " not finite");
  return out + (field.on_side ? ", on its side: rows go to the right" : "");
}

std::string in_words(const Field& field, const Facts& f, const std::string& title) {
  std::string out = (title.empty() ? "" : plain(title) + "\n") + field.W.shape().str();
  if (f.finite > 0)
    out += text(": least ", number(f.least), " at ", field.at(f.least_at), ", largest ", number(f.largest), " at ",
                field.at(f.largest_at), ", mean ", number(f.sum / static_cast<double>(f.finite)));
  if (f.finite < field.W.numel()) out += text("; ", field.W.numel() - f.finite, " of ", field.W.numel(), " are not finite");
  return out + "\n";
}

double share(double w, double far) { return far > 0 ? w / far : std::isfinite(w) ? 0 : w; }

void draw_cells(Svg& svg, const Field& field, double far, double left, double top, double cell_width, double cell_height) {
  const bool tips = field.W.numel() <= most_with_tips;
  const double gap = tips && std::min(cell_width, cell_height) >= 10 ? 1 : 0;  // so that like neighbours can be counted
  std::map<std::string, std::pair<Colour, std::string>> by_colour;             // a path of all cells of a colour
  for (Index r = 0; r < field.rows; ++r)
    for (Index c = 0; c < field.columns; ++c) {
      const Index i = field.place(r, c);
      const auto w = static_cast<double>(field.W[i]);
      const Colour colour = colour_of(share(w, far));
      if (tips) {
        svg.cell(left + cell_width * static_cast<double>(c), top + cell_height * static_cast<double>(r), cell_width - gap,
                 cell_height - gap, colour, field.at(i) + " " + number(w));
      } else {
        auto& path = by_colour.emplace(colour.str(), std::make_pair(colour, "")).first->second.second;
        path += text('M', c, ' ', r, "h1v1h-1z");
      }
    }
  for (const auto& one : by_colour) svg.cells(left, top, cell_width, cell_height, one.second.first, one.second.second);
}

/// The colours and what they stand for, in some 160 pixels; from 0 on if nothing is below it.
void draw_key(Svg& svg, double left, double top, const Facts& f) {
  const bool below = f.least < 0;
  const std::string low = below ? number(-f.far) : "0", high = number(f.far);
  double x = left;
  svg.words(x, top + 11, low, "start", Ink::soft);
  x += letter * static_cast<double>(columns(low)) + 6;
  for (int k = below ? -8 : 0; k <= 8; ++k, x += 5) svg.cell(x, top, 5, 13, colour_of(k / 8.0));
  svg.words(x + 6, top + 11, high, "start", Ink::soft);
}

/// Room for names: as many columns as the longest has, at most 14.
double room(const std::vector<std::string>& names) {
  std::size_t longest = 0;
  for (const std::string& name : names) longest = std::max(longest, std::min<std::size_t>(14, columns(plain(name))));
  return names.empty() ? 0 : letter * static_cast<double>(longest) + 6;
}

void expect_names(const std::vector<std::string>& names, Index count, const char* what) {
  expect<ValueError>(names.empty() || size_of(names) == count, "heat_map: ", names.size(), " names for ", count, ' ', what,
                     "; give one for each, or none");
}

}  // namespace

Picture heat_map(const Tensor& W, const HeatMap& how) {
  expect<ValueError>(W.defined() && W.numel() > 0, "heat_map: the tensor is empty; give it numbers first");
  expect(W.rank() == 1 || W.rank() == 2, "heat_map: a matrix or a vector can be drawn, but this is ", W.shape(),
         "; reshape() it, or take a part");
  expect<ValueError>(W.numel() <= most_numbers, "heat_map: ", W.shape(), " has ", W.numel(), " numbers, more than ",
                     most_numbers, "; draw a part of it");
  const Index rows = W.rank() == 1 ? 1 : W.dim(0), columns_ = W.dim(W.rank() - 1);
  expect_names(how.rows, rows, "rows");
  expect_names(how.columns, columns_, "columns");
  const bool on_side = rows > 32 && rows > columns_ + columns_ / 2;
  const Field field =
      on_side ? Field{W, columns_, rows, true, how.columns, how.rows} : Field{W, rows, columns_, false, how.rows, how.columns};
  const Facts f = facts(W);

  const double beside = room(field.row_names), above = room(field.column_names);
  const double cell_width = std::min(28.0, (widest - beside) / static_cast<double>(field.columns));
  const double cell_height = std::min({28.0, highest / static_cast<double>(field.rows), std::max(cell_width, 8.0)});
  const double left = margin + beside, top = (how.title.empty() ? margin : 36) + above;
  const double right_end = left + cell_width * static_cast<double>(field.columns),
               bottom = top + cell_height * static_cast<double>(field.rows);
  const std::string words = caption(field, f);
  const double title_width = 8 * static_cast<double>(std::min<std::size_t>(70, columns(plain(how.title))));
  const double width =
      std::max({right_end, margin + title_width, margin + letter * static_cast<double>(columns(words)), margin + 240}) + margin;

  std::string alternative = in_words(field, f, how.title);
  Svg svg(width, bottom + 50, alternative);
  if (!how.title.empty()) svg.words(margin, 23, shortened(plain(how.title), 70), "start", Ink::words, true);
  draw_cells(svg, field, f.far, left, top, cell_width, cell_height);
  const double edge = 1.5;  // a frame: cells of 0 are white, as the card is
  for (const double y : {top - edge, bottom + edge}) svg.line(left - edge, y, right_end + edge, y, Ink::grid);
  for (const double x : {left - edge, right_end + edge}) svg.line(x, top - edge, x, bottom + edge, Ink::grid);
  const auto names = [&](const std::vector<std::string>& all, double size, const auto& put) {
    const auto every = static_cast<std::size_t>(std::ceil(14 / size));
    for (std::size_t i = 0; i < all.size(); i += every)
      put(size * (static_cast<double>(i) + 0.5) + 4.5, shortened(plain(all[i]), 14));
  };
  names(field.row_names, cell_height,
        [&](double at, const std::string& name) { svg.words(left - 6, top + at, name, "end", Ink::soft); });
  names(field.column_names, cell_width,
        [&](double at, const std::string& name) { svg.words_upwards(left + at, top - 6, name, "start", Ink::soft); });
  draw_key(svg, margin, bottom + 9, f);
  svg.words(margin, bottom + 40, words, "start", Ink::soft);
  return {svg.str(), std::move(alternative)};
}

}  // namespace graft::show
