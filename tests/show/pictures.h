// What holds of every picture: well-formed, named, and all of it inside its card.
#pragma once
#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "show/picture.h"
#include "tests/show/xml.h"

namespace pictures {

/// Words that would break XML, HTML, a line or a terminal; and what is left of them.
inline const std::string evil = "a<b>&\"c'\x1b[2J\xff\x01\n]]>\xEF\xBF\xBF";

/// The svg element. Every coordinate is a finite number inside of the viewBox.
inline xml::Element checked(const graft::show::Picture& picture) {
  xml::Element root = xml::parse(picture.svg);
  EXPECT_EQ(root.children.size(), 1u);
  xml::Element svg = root.children.at(0);
  EXPECT_EQ(svg.name, "svg");
  EXPECT_EQ(svg["xmlns"], "http://www.w3.org/2000/svg");
  EXPECT_EQ(svg.children.at(0).name, "title");
  EXPECT_FALSE(svg.children.at(0).text.empty());
  double zero_x = -1, zero_y = -1, width = 0, height = 0;
  std::istringstream(svg["viewBox"]) >> zero_x >> zero_y >> width >> height;
  EXPECT_EQ(zero_x, 0);
  EXPECT_EQ(zero_y, 0);
  EXPECT_GT(width, 0);
  EXPECT_GT(height, 0);
  EXPECT_LT(width, 2000);
  EXPECT_LT(height, 2000);
  const auto inside = [&](const xml::Element& e, double x, double y) {
    EXPECT_TRUE(x >= 0 && x <= width && y >= 0 && y <= height)
        << e.name << " at " << x << ", " << y << " of " << width << " x " << height;
  };
  for (const char* name : {"rect", "line", "circle", "text", "polyline", "path"})
    for (const xml::Element* e : svg.all(name)) {
      for (const auto& [attribute, value] : e->attributes) {
        EXPECT_EQ(value.find("nan"), std::string::npos) << attribute;
        EXPECT_EQ(value.find("inf"), std::string::npos) << attribute;
      }
      if (e->name == "rect") {
        inside(*e, e->number("x"), e->number("y"));
        inside(*e, e->number("x") + e->number("width"), e->number("y") + e->number("height"));
      }
      if (e->name == "line") inside(*e, e->number("x1"), e->number("y1")), inside(*e, e->number("x2"), e->number("y2"));
      if (e->name == "circle") inside(*e, e->number("cx"), e->number("cy"));
      if (e->name == "text" && e->attributes.count("x")) inside(*e, e->number("x"), e->number("y"));
      if (e->name == "polyline") {
        std::istringstream points((*e)["points"]);
        double x = 0, y = 0;
        char comma = 0;
        while (points >> x >> comma >> y) inside(*e, x, y);
        EXPECT_TRUE(points.eof());
      }
    }
  for (const unsigned char c : picture.text) EXPECT_TRUE(c >= 0x20 || c == '\n') << "control character " << int(c);
  EXPECT_NO_THROW(xml::Parser{picture.text}) << "the text is no UTF-8";
  EXPECT_FALSE(picture.text.empty());
  return svg;
}

/// The roots of a piece of a page.
inline xml::Element checked(const graft::show::Html& html) {
  for (const unsigned char c : html.text) EXPECT_TRUE(c >= 0x20 || c == '\n') << "control character " << int(c);
  EXPECT_NO_THROW(xml::Parser{html.text});
  EXPECT_EQ(html.html.find("<script"), std::string::npos);
  EXPECT_EQ(html.html.find("<style"), std::string::npos);
  return xml::parse(html.html);
}

struct Point {
  double x, y;
};
inline std::vector<Point> points(const xml::Element& polyline) {
  std::vector<Point> all;
  std::istringstream in(polyline["points"]);
  Point p{};
  for (char comma = 0; in >> p.x >> comma >> p.y;) all.push_back(p);
  return all;
}

}  // namespace pictures
