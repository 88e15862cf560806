// The SVG of graph.h: boxes where layout.h puts them.
#include <algorithm>
#include <cmath>

#include "autograd/errors.h"
#include "autograd/graph.h"
#include "autograd/graph/layout.h"
#include "autograd/graph/shown.h"
#include "autograd/text.h"

namespace graft {

using namespace graph;

namespace {

constexpr double letter = 7.3, box_height = 40, row_pitch = 88, gap = 22, margin = 24, legend_row = 24;

double top_of(const Layout& at, std::size_t spot) {
  return at.top + row_pitch * static_cast<double>(at.rows.size() - 1 - at.spots[spot].row);
}

std::string escaped(const std::string& s) {  // for XML
  std::string out;
  for (const char c : s)
    out += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '"' ? "&quot;" : std::string(1, c);
  return out;
}

long pixel(double x) { return std::lround(x); }

std::string box(double left, double top, double width, double height, const Style& style) {
  return text("<rect x=\"", pixel(left), "\" y=\"", pixel(top), "\" width=\"", pixel(width), "\" height=\"", pixel(height),
              "\" rx=\"", std::min<long>(style.corner, pixel(height / 2)), "\" fill=\"", style.fill, "\" stroke=\"", style.line, '"',
              style.dashes[0] ? text(" stroke-dasharray=\"", style.dashes, '"') : "", "/>");
}

std::string text_at(double x, double y, const std::string& words, const char* more = "") {
  return text("<text x=\"", pixel(x), "\" y=\"", pixel(y), '"', more, '>', escaped(words), "</text>");
}

std::string curve(double x0, double y0, double x1, double y1) {  // starts and ends vertically
  const double middle = (y0 + y1) / 2;
  return text('M', pixel(x0), ' ', pixel(y0), " C", pixel(x0), ' ', pixel(middle), ' ', pixel(x1), ' ', pixel(middle), ' ',
              pixel(x1), ' ', pixel(y1));
}

const char* dashed(bool learns) { return learns ? "" : " stroke-dasharray=\"6 4\""; }

/// The line of an item down to its lowest bend, which all its arrows share.
std::string trunk(const ShownGraph& p, const Layout& at, std::size_t item, double shift) {
  std::string path;
  const auto& line = at.trunks[item];
  for (std::size_t k = 1; k < line.size(); ++k) {
    const double top = top_of(at, line[k]), x = at.spots[line[k]].x + shift;
    path += curve(at.spots[line[k - 1]].x + shift, top_of(at, line[k - 1]) + box_height, x, top) +
            text(" V", pixel(top + box_height), ' ');
  }
  if (path.empty()) return path;
  const bool learns = !p.items[item].node || p.items[item].node->requires_grad;
  return text("<path class=\"trunk\" d=\"", path, '"', dashed(learns), "/>\n");
}

/// The arrows into an item, side by side along its upper edge, ordered by where they come from.
std::string arrows(const ShownGraph& p, const Layout& at, std::size_t item, double shift) {
  std::vector<Arrow> inputs = p.items[item].inputs;
  const auto from = [&](const Arrow& arrow) { return at.last(arrow.from, at.spots[item].row); };
  std::stable_sort(inputs.begin(), inputs.end(),
                   [&](const Arrow& a, const Arrow& b) { return at.spots[from(a)].x < at.spots[from(b)].x; });
  const Spot& to = at.spots[item];
  std::string out;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const double port = to.x + to.width * (static_cast<double>(k + 1) / static_cast<double>(inputs.size() + 1) - 0.5);
    const std::size_t start = from(inputs[k]);
    out += text("<path class=\"arrow\" d=\"",
                curve(at.spots[start].x + shift, top_of(at, start) + box_height, port + shift, top_of(at, item) - 2), '"',
                dashed(inputs[k].learns), " marker-end=\"url(#graft-tip)\"/>\n");
  }
  return out;
}

std::string boxed(const ShownGraph& p, const Layout& at, std::size_t item, double shift) {
  const Spot& spot = at.spots[item];
  const Caption words = caption(p, p.items[item]);
  const double x = spot.x + shift, top = top_of(at, item);
  return text("<g class=\"node\"><title>", escaped(tooltip(p.items[item])), "</title>",
              box(x - spot.width / 2, top, spot.width, box_height, style_of(kind(p.items[item]))),
              text_at(x, top + 17, words.first, " font-weight=\"bold\""), text_at(x, top + 32, words.second), "</g>\n");
}

/// What colours and lines mean, in rows of at most `most` pixels.
struct Legend {
  std::string svg;
  double width, height;
};
Legend legend(double left, double top, double most) {
  const std::pair<Kind, const char*> entries[] = {
      {Kind::learning, "learns"}, {Kind::frozen, "frozen"}, {Kind::op, "op"}, {Kind::released, "released (backward is done)"}};
  Legend all{"", 0, legend_row};
  double x = left, y = top;
  const auto entry = [&](const std::string& words, const auto& sample) {
    const double needs = 34 + letter * columns(words) + gap;
    if (x > left && x + needs > most) x = left, y += legend_row, all.height += legend_row;
    all.svg += sample() + text_at(x + 34, y + 12, words) + "\n";
    x += needs;
    all.width = std::max(all.width, x);
  };
  for (const auto& [kind, words] : entries) entry(words, [&, kind = kind] { return box(x, y, 26, 16, style_of(kind)); });
  entry("no gradient goes back", [&] {
    return text("<path d=\"M", pixel(x), ' ', pixel(y + 8), " h26\" fill=\"none\" stroke=\"#444\"", dashed(false), "/>");
  });
  all.svg = "<g class=\"legend\">\n" + all.svg + "</g>\n";
  return all;
}

}  // namespace

std::string graph_svg(const Variable& y) {
  const ShownGraph p = shown_graph(y, "graph_svg", graph_drawn);
  std::string title =
      text(tagged(p.items[0]), " and what it was computed from: ", grouped(static_cast<std::int64_t>(p.all)), p.all == 1 ? " node" : " nodes");
  if (p.items.back().node == nullptr)
    title = text(label(*p.y), ", the nearest ", graph_drawn, " of ", grouped(static_cast<std::int64_t>(p.all)), " nodes");
  std::vector<Box> boxes;
  for (const ShownNode& item : p.items) {
    const Caption words = caption(p, item);
    boxes.push_back({letter * std::max(columns(words.first), columns(words.second)) + 24, {}});
    for (const Arrow& arrow : item.inputs) boxes.back().inputs.push_back(arrow.from);
  }
  Layout at = layout(boxes, gap);
  const Legend key = legend(margin, 32, std::max(at.right - at.left + 2 * margin, 420.0));  // 420: two or three rows, for a telephone
  const double width = std::max({at.right - at.left + 2 * margin, key.width, letter * columns(title) + 2 * margin});
  at.top = 40 + key.height;
  const double height = at.top + row_pitch * static_cast<double>(at.rows.size() - 1) + box_height + margin;
  const double shift = (width - at.left - at.right) / 2;  // centered
  std::string out = text("<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"", pixel(width), "\" height=\"",
                         pixel(height), "\" viewBox=\"0 0 ", pixel(width), ' ', pixel(height),
                         '"', width <= 1000 ? " style=\"max-width:100%;height:auto\"" : "",
                         " font-family=\"ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" font-size=\"12\">\n");
  out += "<title>" + escaped(title) + "</title>\n";
  out +=
      "<defs><marker id=\"graft-tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" "
      "orient=\"auto\"><path d=\"M0 0 L8 4 L0 8 z\" fill=\"#444\"/></marker></defs>\n";
  out += "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n<g fill=\"#111111\">\n";
  out += text_at(margin, 20, title) + "\n" + key.svg + "</g>\n";
  out += "<g fill=\"none\" stroke=\"#444\" stroke-width=\"1.2\">\n";
  for (std::size_t i = 0; i < p.items.size(); ++i) out += trunk(p, at, i, shift);
  for (std::size_t i = 0; i < p.items.size(); ++i) out += arrows(p, at, i, shift);
  out += "</g>\n<g fill=\"#111111\" text-anchor=\"middle\">\n";
  for (std::size_t i = 0; i < p.items.size(); ++i) out += boxed(p, at, i, shift);
  return out + "</g>\n</svg>\n";
}

}  // namespace graft
