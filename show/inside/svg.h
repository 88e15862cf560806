// An SVG as it is drawn: a card with a ground of its own, so that it can be read on any page.
// Colours stand in the elements as they are on a light card. A reader who prefers a dark screen gets a dark card by one style
// sheet, whose rules name classes of ours only and are the same in every picture: many may share a page.
#pragma once
#include <string>

namespace graft::show {

/// What a colour is for.
enum class Ink { card, words, soft, grid, curve };

/// A colour that stays what it is on both cards: a cell of a heat map.
struct Colour {
  int red, green, blue;
  std::string str() const;  ///< "#0b4fa0"
};
/// Of a number between -1 and 1: from blue over white to red; one that is not finite is grey.
Colour colour_of(double share);

class Svg {
 public:
  /// alternative: what the picture says in one sentence, for those who do not see it. Any text; escaped here, as everywhere below.
  Svg(double width, double height, const std::string& alternative);

  void words(double x, double y, const std::string& what, const char* anchor = "start", Ink ink = Ink::words,
             bool bold = false);
  void words_upwards(double x, double y, const std::string& what, const char* anchor, Ink ink = Ink::words);  ///< turned by 90°
  void line(double x1, double y1, double x2, double y2, Ink ink, double width = 1, const char* dashes = "");
  void bar(double x, double y, double width, double height, std::size_t curve, const std::string& tip);
  void cell(double x, double y, double width, double height, Colour colour, const std::string& tip = {});
  /// d: path data in a system of its own, `scale` wide and with its zero at x, y
  void cells(double x, double y, double scale_x, double scale_y, Colour colour, const std::string& d);
  void polyline(const std::string& points, std::size_t curve);  ///< points: "x,y x,y …", by at()
  void dot(double x, double y, std::size_t curve);
  /// A short piece of a curve, and its name.
  void sample(double x, double y, std::size_t curve);

  static std::string at(double x, double y);  ///< "12.5,40"
  std::string str() const { return out_ + "</svg>\n"; }

 private:
  std::string out_;
};

}  // namespace graft::show
