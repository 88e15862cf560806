#include "show/inside/svg.h"

#include <array>
#include <cmath>
#include <cstdio>

#include "autograd/errors.h"
#include "show/inside/words.h"

namespace graft::show {
namespace {

struct Look {
  const char *name, *light, *dark;
};
constexpr Look card{"card", "#ffffff", "#181c22"}, ink{"words", "#171b21", "#e8ebef"}, soft{"soft", "#535c69", "#a3adba"},
    grid{"grid", "#dfe3e9", "#2e353e"};

/// After Okabe & Ito, which eyes that confuse red and green tell apart; and each with a dash pattern for those who see no colour.
struct CurveLook {
  Look look;
  const char* dashes;
};
constexpr std::array<CurveLook, 6> curves{{{{"c0", "#0072b2", "#4f9fe0"}, ""},
                                           {{"c1", "#d55e00", "#f2762b"}, "7 3"},
                                           {{"c2", "#009e73", "#1dbf92"}, "2 2.5"},
                                           {{"c3", "#b9579a", "#dd8dbd"}, "10 3 2 3"},
                                           {{"c4", "#1c2026", "#f2f4f7"}, "14 4"},
                                           {{"c5", "#948a00", "#e6dc55"}, "5 2 1 2 1 2"}}};

const CurveLook& curve_look(std::size_t curve) { return curves[curve % curves.size()]; }
/// The seventh has the first one's colour, but the second one's dashes.
const char* dashes_of(std::size_t curve) { return curve_look(curve + curve / curves.size()).dashes; }
const Look& look(Ink what) {
  switch (what) {
    case Ink::card: return card;
    case Ink::soft: return soft;
    case Ink::grid: return grid;
    default: return ink;
  }
}

const std::string& style() {
  static const std::string rules = [] {
    std::string all;
    const auto add = [&](const Look& look, bool fill, bool stroke) {
      if (fill) all += text(".graft-show .f-", look.name, "{fill:", look.dark, "}");
      if (stroke) all += text(".graft-show .s-", look.name, "{stroke:", look.dark, "}");
    };
    add(card, true, true), add(ink, true, true), add(soft, true, true), add(grid, false, true);
    for (const CurveLook& curve : curves) add(curve.look, true, true);
    return "<style>@media (prefers-color-scheme:dark){" + all + "}</style>\n";
  }();
  return rules;
}
std::string fill(const Look& look) { return text(" class=\"f-", look.name, "\" fill=\"", look.light, '"'); }
std::string stroke(const Look& look) { return text(" class=\"s-", look.name, "\" fill=\"none\" stroke=\"", look.light, '"'); }

/// To a hundredth of a pixel, with a point whatever the locale. What is not finite is a mistake of ours, but still no bad SVG.
std::string pixel(double x) {
  if (!std::isfinite(x) || std::abs(x) > 1e7) x = 0;
  const long long hundredths = std::llround(x * 100), whole = std::llabs(hundredths) / 100, part = std::llabs(hundredths) % 100;
  std::string out = (hundredths < 0 ? "-" : "") + std::to_string(whole);
  if (part != 0) out += (part < 10 ? ".0" : ".") + std::to_string(part % 10 ? part : part / 10);
  return out;
}
std::string place(const char* name, double x) { return text(' ', name, "=\"", pixel(x), '"'); }
std::string titled(const char* element, const std::string& tip) {
  return tip.empty() ? "/>\n" : text("><title>", escaped(tip), "</title></", element, ">\n");
}
std::string dashed(const char* dashes) { return dashes[0] ? text(" stroke-dasharray=\"", dashes, '"') : ""; }

}  // namespace

std::string Colour::str() const {
  char out[8];
  std::snprintf(out, sizeof out, "#%02x%02x%02x", static_cast<unsigned>(red) & 255U, static_cast<unsigned>(green) & 255U,
                static_cast<unsigned>(blue) & 255U);
  return out;
}

Colour colour_of(double share) {
  if (!std::isfinite(share)) return {150, 150, 150};
  const double far =
      std::min(1.0, std::round(std::abs(share) * 32) / 32);  // few enough to draw all cells of one colour at once
  const Colour end = share < 0 ? Colour{11, 79, 160} : Colour{178, 24, 43};
  const auto mix = [&](int full) { return static_cast<int>(std::lround(255 + (full - 255) * far)); };
  return {mix(end.red), mix(end.green), mix(end.blue)};
}

Svg::Svg(double width, double height, const std::string& alternative)
    : out_(text(
          "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"graft-show\" role=\"img\"", place("width", width),
          place("height", height), " viewBox=\"0 0 ", pixel(width), ' ', pixel(height),
          "\" style=\"max-width:100%;height:auto\" font-family=\"system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', "
          "'Noto Sans CJK SC', 'PingFang SC', 'DejaVu Sans', sans-serif\" font-size=\"13\">\n<title>",
          escaped(alternative), "</title>\n", style(), "<rect x=\"0.5\" y=\"0.5\"", place("width", width - 1),
          place("height", height - 1), " rx=\"6\" class=\"f-card s-grid\" fill=\"", card.light, "\" stroke=\"", grid.light,
          "\"/>\n")) {}

void Svg::words(double x, double y, const std::string& what, const char* anchor, Ink ink, bool bold) {
  out_ += text("<text", place("x", x), place("y", y), fill(look(ink)), " text-anchor=\"", anchor, '"',
               bold ? " font-weight=\"600\"" : "", '>', escaped(what), "</text>\n");
}

void Svg::words_upwards(double x, double y, const std::string& what, const char* anchor, Ink ink) {
  out_ += text("<text transform=\"translate(", pixel(x), ' ', pixel(y), ") rotate(-90)\"", fill(look(ink)), " text-anchor=\"",
               anchor, "\">", escaped(what), "</text>\n");
}

void Svg::line(double x1, double y1, double x2, double y2, Ink ink, double width, const char* dashes) {
  out_ += text("<line", place("x1", x1), place("y1", y1), place("x2", x2), place("y2", y2), stroke(look(ink)),
               place("stroke-width", width), dashed(dashes), "/>\n");
}

void Svg::bar(double x, double y, double width, double height, std::size_t curve, const std::string& tip) {
  out_ += text("<rect", place("x", x), place("y", y), place("width", width), place("height", height),
               fill(curve_look(curve).look), titled("rect", tip));
}

void Svg::cell(double x, double y, double width, double height, Colour colour, const std::string& tip) {
  out_ += text("<rect", place("x", x), place("y", y), place("width", width), place("height", height), " fill=\"", colour.str(),
               "\" shape-rendering=\"crispEdges\"", titled("rect", tip));
}

void Svg::cells(double x, double y, double scale_x, double scale_y, Colour colour, const std::string& d) {
  out_ += text("<path transform=\"translate(", pixel(x), ' ', pixel(y), ") scale(", pixel(scale_x), ' ', pixel(scale_y),
               ")\" fill=\"", colour.str(), "\" shape-rendering=\"crispEdges\" d=\"", d, "\"/>\n");
}

void Svg::polyline(const std::string& points, std::size_t curve) {
  const CurveLook& with = curve_look(curve);
  out_ += text("<polyline", stroke(with.look), " stroke-width=\"2\" stroke-linejoin=\"round\"", dashed(dashes_of(curve)),
               " points=\"", points, "\"/>\n");
}

void Svg::dot(double x, double y, std::size_t curve) {
  out_ += text("<circle", place("cx", x), place("cy", y), " r=\"2.5\"", fill(curve_look(curve).look), "/>\n");
}

void Svg::sample(double x, double y, std::size_t curve) {
  const CurveLook& with = curve_look(curve);
  out_ += text("<line", place("x1", x), place("y1", y), place("x2", x + 28), place("y2", y), stroke(with.look),
               " stroke-width=\"2.5\"", dashed(dashes_of(curve)), "/>\n");
}

std::string Svg::at(double x, double y) { return pixel(x) + ',' + pixel(y); }

}  // namespace graft::show
