// Curves and bars: numbers read back from the picture are those that went in.
#include "show/plot.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "autograd/errors.h"
#include "tests/show/pictures.h"

namespace {

using namespace graft::show;
using pictures::checked;
using pictures::evil;
using pictures::points;

constexpr double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();

/// The axis read as a person does: two of the numbers beside it and the heights of their lines.
struct Axis {
  double value0, at0, value1, at1;
  double operator()(double at) const { return value0 + (at - at0) * (value1 - value0) / (at1 - at0); }
};
Axis axis(const xml::Element& svg, bool vertical, bool log = false) {
  std::vector<std::pair<double, double>> found;  // value, place
  for (const xml::Element* t : svg.all("text")) {
    if ((*t)["class"] != "f-soft" || (*t)["text-anchor"] != (vertical ? "end" : "middle")) continue;
    // The words stand 4.5 below their line; x positions are the tick's own.
    found.emplace_back(log ? std::log(std::stod(t->text)) : std::stod(t->text),
                       vertical ? t->number("y") - 4.5 : t->number("x"));
  }
  EXPECT_GE(found.size(), 2u);
  if (found.size() < 2) return {0, 0, 1, 1};
  return {found.front().first, found.front().second, found.back().first, found.back().second};
}

TEST(Plot, NumbersCanBeReadBackFromTheCurve) {
  const std::vector<double> y{2.5, 0.3, 1.75, 0.9, 1.1};
  const xml::Element svg = checked(plot({{"loss of one", y, 10}}));
  const Axis over_x = axis(svg, false), over_y = axis(svg, true);
  const auto lines = svg.all("polyline");
  ASSERT_EQ(lines.size(), 1u);
  const auto drawn = points(*lines[0]);
  ASSERT_EQ(drawn.size(), y.size());
  for (std::size_t i = 0; i < y.size(); ++i) {
    EXPECT_NEAR(over_x(drawn[i].x), 10.0 * static_cast<double>(i), 0.02);
    EXPECT_NEAR(over_y(drawn[i].y), y[i], 0.001);
  }
}

TEST(Plot, LogarithmsCanBeReadBackFromTheCurve) {
  const std::vector<double> y{1000, 3, 0.02, 0.5};
  Axes axes;
  axes.log = true;
  const xml::Element svg = checked(plot({{"", y}}, axes));
  const Axis over_y = axis(svg, true, true);
  const auto drawn = points(*svg.all("polyline").at(0));
  ASSERT_EQ(drawn.size(), y.size());
  for (std::size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(over_y(drawn[i].y), std::log(y[i]), 0.01);
}

TEST(Plot, WhatIsNotFiniteLeavesAGap) {
  const xml::Element svg = checked(plot({{"", {1, 2, nan, 5, inf, 3, 4, 2, -inf}}}));
  const auto lines = svg.all("polyline");
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(points(*lines[0]).size(), 2u);
  EXPECT_EQ(points(*lines[1]).size(), 3u);
  EXPECT_EQ(svg.all("circle").size(), 1u) << "a number between two gaps is a dot";
}

TEST(Plot, OnALogarithmicAxisOnlyWhatIsAboveZero) {
  Axes axes;
  axes.log = true;
  const xml::Element svg = checked(plot({{"", {1, 2, 0, 4, 5, -1, 7, 8}}}, axes));
  EXPECT_EQ(svg.all("polyline").size(), 3u);
}

TEST(Plot, ExtremeNumbersStayInsideTheCard) {
  const double big = std::numeric_limits<double>::max(), tiny = std::numeric_limits<double>::denorm_min();
  const std::vector<std::vector<double>> all{{},
                                             {1},
                                             {nan},
                                             {nan, nan},
                                             {inf, -inf},
                                             {0, 0, 0},
                                             {5, 5, 5},
                                             {-3, -3},
                                             {big, -big},
                                             {big, big},
                                             {tiny, 0},
                                             {tiny, tiny},
                                             {1e-300, 2e-300},
                                             {1, 1 + 1e-15},
                                             {1e15, 1e15 + 1},
                                             {-1e-8, 1e8},
                                             {1e308, 1e-308},
                                             {-big, -big},
                                             {1e20, 1.0000001e20}};
  for (const auto& y : all)
    for (const bool log : {false, true})
      for (const double level : {0.0, 1.0, -big, nan}) {
        Axes axes;
        axes.log = log;
        axes.level = level;
        const Picture picture = plot({{"one", y}, {"two", {}}}, axes);
        checked(picture);
        checked(bars(y, axes));
        EXPECT_LT(picture.svg.size(), 20000u);
      }
  checked(plot({}));
  checked(plot({{"", {1, 2}, 1e300}}));
  checked(plot({{"", {1, 2}, 1e-300}}));
}

TEST(Plot, TicksAreFewAndDiffer) {
  for (const auto& y : std::vector<std::vector<double>>{
           {0, 1}, {1000.001, 1000.002}, {-7, 123456789}, {1e-9, 3e-9}, {5, 5}, {1e20, 1.0000001e20}, {0.999, 1.0003}}) {
    const xml::Element svg = checked(plot({{"", y}}));
    std::set<std::string> words;
    std::size_t count = 0;
    for (const xml::Element* t : svg.all("text"))
      if ((*t)["text-anchor"] == "end") {
        words.insert(t->text), ++count;
        EXPECT_GE(t->number("x") - 7.2 * static_cast<double>(t->text.size()), 24) << "the axis's name is under " << t->text;
      }
    EXPECT_GE(count, 2u) << y[0];
    EXPECT_LE(count, 9u) << y[0];
    EXPECT_EQ(words.size(), count) << "two ticks with the same number for " << y[0];
  }
}

TEST(Plot, ManyPointsAreThinnedAndTheExtremesKept) {
  std::vector<double> y;
  for (int i = 0; i < 200000; ++i) y.push_back(std::sin(i * 0.001));
  y[77777] = 9, y[123456] = -8;
  const Picture picture = plot({{"", y}});
  EXPECT_LT(picture.svg.size(), 60000u);
  const xml::Element svg = checked(picture);
  const Axis over_y = axis(svg, true), over_x = axis(svg, false);
  const auto drawn = points(*svg.all("polyline").at(0));
  const auto lower = [](const pictures::Point& a, const pictures::Point& b) { return a.y > b.y; };
  const auto lowest = *std::min_element(drawn.begin(), drawn.end(), lower),
             highest = *std::max_element(drawn.begin(), drawn.end(), lower);
  EXPECT_NEAR(over_y(highest.y), 9, 0.01);
  EXPECT_NEAR(over_x(highest.x), 77777, 400);
  EXPECT_NEAR(over_y(lowest.y), -8, 0.01);
  for (std::size_t i = 1; i < drawn.size(); ++i) EXPECT_LE(drawn[i - 1].x, drawn[i].x);
  EXPECT_NEAR(over_x(drawn.back().x), 199999, 10);
}

TEST(Plot, CurvesDifferWithoutColourAndTheLegendIsAboveThem) {
  std::vector<Curve> curves;
  for (int c = 0; c < 12; ++c) curves.push_back({"a curve with quite a long name, no. " + std::to_string(c), {1.0 * c, 2, 3}});
  const xml::Element svg = checked(plot(curves));
  std::set<std::pair<std::string, std::string>> looks;
  std::set<std::string> dashes, colours;
  double top = 1e9;
  for (const xml::Element* line : svg.all("polyline")) {
    looks.emplace((*line)["stroke-dasharray"], (*line)["stroke"]);
    if (looks.size() <= 6) dashes.insert((*line)["stroke-dasharray"]), colours.insert((*line)["stroke"]);
    for (const auto& p : points(*line)) top = std::min(top, p.y);
  }
  EXPECT_EQ(looks.size(), 12u);
  EXPECT_EQ(dashes.size(), 6u) << "of the first six";
  EXPECT_EQ(colours.size(), 6u);
  int named = 0;
  for (const xml::Element* t : svg.all("text"))
    if (t->text.rfind("a curve", 0) == 0) {
      EXPECT_LT(t->number("y"), top) << "the legend covers the curves";
      ++named;
    }
  EXPECT_EQ(named, 12);
}

TEST(Plot, WordsAreEscaped) {
  Axes axes;
  axes.title = axes.x = axes.y = axes.level_name = evil;
  axes.level = 2;
  const Picture picture = plot({{evil, {1, 2}}, {evil, {3}}}, axes);
  const std::string shown = checked(picture).all_text();
  EXPECT_NE(shown.find("a<b>&\"c'"), std::string::npos);
  checked(bars({1, -2}, axes, {evil, evil}));
}

TEST(Plot, TextTellsFirstLeastAndLast) {
  Axes axes;
  axes.title = "LoRA";
  const std::string words = plot({{"q", {4, 1.5, 2.25}, 10}}, axes).text;
  for (const char* part : {"LoRA", "q", "4", "1.5 at 10", "2.25"})
    EXPECT_NE(words.find(part), std::string::npos) << part << "\n" << words;
  EXPECT_EQ(words.find('\t'), std::string::npos);
}

TEST(Plot, ThePictureSaysItsFactsToThoseWhoDoNotSeeIt) {
  const xml::Element svg = checked(plot({{"q", {4, 1.5, 2.25}}}));
  EXPECT_NE(svg.children.at(0).text.find("q: 4 at first, 2.25 at last, least 1.5 at 1"), std::string::npos)
      << svg.children.at(0).text;
}

TEST(Plot, TheAxisMayGoBeyondTheData) {
  Axes axes;
  axes.x_end = 100;
  const xml::Element svg = checked(plot({{"", {3, 2, 1}}}, axes));
  const auto drawn = points(*svg.all("polyline").at(0));
  EXPECT_NEAR(axis(svg, false)(drawn.back().x), 2, 0.2);
  EXPECT_LT(drawn.back().x, 100);
  axes.x_end = nan;
  checked(plot({{"", {3, 2, 1}}}, axes));
}

TEST(Plot, PointsMayStandWhereTheyLike) {
  const xml::Element svg = checked(plot({{"", {5, 4, 3}, 1, {-10, 0, 40}}, {"", {1}, 1, {20}}}));
  const Axis over_x = axis(svg, false);
  const auto drawn = points(*svg.all("polyline").at(0));
  ASSERT_EQ(drawn.size(), 3u);
  EXPECT_NEAR(over_x(drawn[0].x), -10, 0.05);
  EXPECT_NEAR(over_x(drawn[1].x), 0, 0.05);
  EXPECT_NEAR(over_x(drawn[2].x), 40, 0.05);
  EXPECT_NEAR(over_x(svg.all("circle").at(0)->number("cx")), 20, 0.05);
  EXPECT_THROW(plot({{"", {5, 4}, 1, {0}}}), graft::ValueError);
  EXPECT_THROW(plot({{"", {5, 4}, 1, {1, 0}}}), graft::ValueError);
  EXPECT_THROW(plot({{"", {5, 4}, 1, {1, inf}}}), graft::ValueError);
  EXPECT_THROW(plot({{"", {5, 4}, 1, {nan, 1}}}), graft::ValueError);
}

TEST(Plot, RefusesPointsThatAreNotApart) {
  for (const double every : {0.0, -1.0, nan, inf}) EXPECT_THROW(plot({{"a", {1, 2}, every}}), graft::ValueError);
}

TEST(Bars, HeightsAreTheNumbers) {
  const std::vector<double> y{3, -1.5, 0, 0.75, nan};
  const xml::Element svg = checked(bars(y));
  std::vector<const xml::Element*> drawn;
  for (const xml::Element* r : svg.all("rect"))
    if (!r->children.empty()) drawn.push_back(r);
  ASSERT_EQ(drawn.size(), 4u) << "none for what is no number";
  const double one = drawn[0]->number("height") / 3, zero = drawn[0]->number("y") + drawn[0]->number("height");
  EXPECT_NEAR(drawn[1]->number("height"), 1.5 * one, 0.02);
  EXPECT_NEAR(drawn[1]->number("y"), zero, 0.02) << "a number below 0 hangs";
  EXPECT_NEAR(drawn[2]->number("height"), 0, 0.02);
  EXPECT_NEAR(drawn[3]->number("height"), 0.75 * one, 0.02);
  EXPECT_NEAR(drawn[3]->number("y") + drawn[3]->number("height"), zero, 0.02);
  EXPECT_EQ(drawn[0]->children.at(0).text, "0: 3");
}

TEST(Bars, NamesStandUnderTheirBars) {
  std::vector<std::string> names;
  std::vector<double> y;
  for (int i = 0; i < 12; ++i) names.push_back("layers." + std::to_string(i)), y.push_back(i);
  const xml::Element svg = checked(bars(y, {}, names));
  int found = 0;
  for (const xml::Element* t : svg.all("text")) found += t->text.rfind("layers.", 0) == 0;
  EXPECT_EQ(found, 12);
  EXPECT_THROW(bars({1, 2}, {}, {"one"}), graft::ValueError);
}

TEST(Bars, LongNamesAreBrokenAtSpaces) {
  const xml::Element svg =
      checked(bars({1, 2, 3, 4, 5}, {}, {"full fine-tuning", "LoRA", "P-tuning v2", "prefix tuning", "none"}));
  std::map<std::string, const xml::Element*> words;
  for (const xml::Element* t : svg.all("text")) words[t->text] = t;
  ASSERT_TRUE(words.count("full") == 1 && words.count("fine-tuning") == 1);
  EXPECT_EQ(words["full"]->number("x"), words["fine-tuning"]->number("x"));
  EXPECT_LT(words["full"]->number("y"), words["fine-tuning"]->number("y"));
  EXPECT_EQ(words["full"]->number("y"), words["LoRA"]->number("y"));
  EXPECT_LT(words["fine-tuning"]->number("y"), words["step"]->number("y")) << "the axis's own word is below";
}

TEST(Bars, NamesOfManyBarsDoNotOverlap) {
  const xml::Element svg = checked(bars(std::vector<double>(1000, 1.0)));
  std::vector<double> places;
  for (const xml::Element* t : svg.all("text"))
    if ((*t)["class"] == "f-soft" && (*t)["text-anchor"] == "middle") places.push_back(t->number("x"));
  ASSERT_GE(places.size(), 3u);
  for (std::size_t i = 1; i < places.size(); ++i) EXPECT_GT(places[i] - places[i - 1], 20);
}

}  // namespace
