// Cells: each where its number is, coloured by it.
#include "show/heat_map.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "autograd/errors.h"
#include "tests/show/pictures.h"

namespace {

using namespace graft;
using pictures::checked;

struct Rgb {
  int r, g, b;
};
Rgb rgb(const std::string& colour) {
  const auto part = [&](std::size_t at) { return std::stoi(colour.substr(at, 2), nullptr, 16); };
  return {part(1), part(3), part(5)};
}

/// The cells by their tips, "[1, 2] 0.5": where they are and their colour.
std::map<std::string, const xml::Element*> cells(const xml::Element& svg) {
  std::map<std::string, const xml::Element*> found;
  for (const xml::Element* r : svg.all("rect"))
    if (!r->children.empty()) found[r->children.at(0).text.substr(0, r->children.at(0).text.find(']') + 1)] = r;
  return found;
}

TEST(HeatMap, ColoursFollowTheNumbers) {
  const Tensor W({2, 3}, std::vector<real>{-4, -1, 0, 1, 2, 4});
  const xml::Element svg = checked(show::heat_map(W));
  const auto at = cells(svg);
  ASSERT_EQ(at.size(), 6u);
  const auto colour = [&](const char* place) { return rgb((*at.at(place))["fill"]); };
  EXPECT_EQ(colour("[0, 2]").r, 255);
  EXPECT_EQ(colour("[0, 2]").b, 255) << "0 is white";
  EXPECT_GT(colour("[0, 0]").b, colour("[0, 0]").r) << "below 0 is blue";
  EXPECT_GT(colour("[1, 2]").r, colour("[1, 2]").b) << "above 0 is red";
  EXPECT_GT(colour("[0, 1]").r, colour("[0, 0]").r) << "the nearer to 0, the paler";
  EXPECT_GT(colour("[1, 0]").b, colour("[1, 1]").b);
  EXPECT_GT(colour("[1, 1]").b, colour("[1, 2]").b);
  for (const char* place : {"[0, 0]", "[0, 1]"})  // rows go down, columns to the right
    EXPECT_LT(at.at(place)->number("y"), at.at("[1, 0]")->number("y"));
  EXPECT_LT(at.at("[1, 0]")->number("x"), at.at("[1, 1]")->number("x"));
}

TEST(HeatMap, ATallMatrixLiesOnItsSideAndSaysSo) {
  Tensor W({64, 4}, real(0));
  W.write()[50 * 4 + 1] = 3;
  const show::Picture picture = show::heat_map(W);
  const xml::Element svg = checked(picture);
  EXPECT_GT(svg.number("width"), svg.number("height"));
  EXPECT_NE(svg.all_text().find("on its side"), std::string::npos);
  const auto at = cells(svg);
  EXPECT_LT(rgb((*at.at("[50, 1]"))["fill"]).b, 100) << "the index is that of the matrix as it was";
  EXPECT_GT(at.at("[50, 1]")->number("x"), at.at("[49, 1]")->number("x"));
  ASSERT_EQ(at.size(), 256u);
  const double x = at.at("[0, 0]")->number("x"), y = at.at("[0, 0]")->number("y");
  const double width = at.at("[1, 0]")->number("x") - x, height = at.at("[0, 1]")->number("y") - y;
  for (int r = 0; r < 64; ++r)
    for (int c = 0; c < 4; ++c) {
      const xml::Element& cell = *at.at("[" + std::to_string(r) + ", " + std::to_string(c) + "]");
      EXPECT_NEAR(cell.number("x"), x + r * width, 0.5);
      EXPECT_NEAR(cell.number("y"), y + c * height, 0.5);
    }
  EXPECT_NE(picture.text.find("[64, 4]"), std::string::npos);
  EXPECT_NE(picture.text.find("largest 3 at [50, 1]"), std::string::npos) << picture.text;
  EXPECT_EQ(checked(show::heat_map(Tensor({4, 64}, real(1)))).all_text().find("on its side"), std::string::npos);
}

/// Cells of one colour are one path there.
TEST(HeatMap, OfALargeMatrixEveryCellIsDrawnOnce) {
  Tensor W({100, 90}, real(0));
  for (Index i = 0; i < W.numel(); ++i) W.write()[i] = static_cast<real>(i % 11 - 5);
  const show::Picture picture = show::heat_map(W);
  const xml::Element svg = checked(picture);
  std::map<std::pair<int, int>, std::string> drawn;
  for (const xml::Element* path : svg.all("path")) {
    std::istringstream d((*path)["d"]);
    char m = 0;
    int x = 0, y = 0;
    std::string rest(8, ' ');
    while (d >> m >> x >> y && d.read(&rest[0], 8)) {
      EXPECT_EQ(m, 'M');
      EXPECT_EQ(rest, "h1v1h-1z");
      EXPECT_TRUE(drawn.emplace(std::make_pair(y, x), (*path)["fill"]).second) << "twice";
    }
  }
  ASSERT_EQ(drawn.size(), 9000u);
  for (const auto& one : drawn) {
    const int w = (one.first.first * 90 + one.first.second) % 11 - 5;
    const Rgb c = rgb(one.second);
    EXPECT_EQ(c.r - c.b > 0 ? 1 : c.r - c.b < 0 ? -1 : 0, w > 0 ? 1 : w < 0 ? -1 : 0);
  }
  const show::Picture most = show::heat_map(Tensor({256, 256}, real(1)));
  checked(most);
  EXPECT_LT(most.svg.size(), 2000000u);
}

TEST(HeatMap, ExtremeNumbersStayInsideTheCard) {
  const real nan = std::numeric_limits<real>::quiet_NaN(), inf = std::numeric_limits<real>::infinity(),
             big = std::numeric_limits<real>::max(), tiny = std::numeric_limits<real>::denorm_min();
  for (const std::vector<real>& values : std::vector<std::vector<real>>{
           {nan, nan, nan, nan}, {inf, -inf, 1, 2}, {0, 0, 0, 0}, {big, -big, 0, 1}, {tiny, -tiny, 0, 0}, {nan, 0, 0, 0}}) {
    const xml::Element svg = checked(show::heat_map(Tensor({2, 2}, values)));
    for (const auto& [place, cell] : cells(svg)) {
      const real w = values[static_cast<std::size_t>((place[1] - '0') * 2 + place[4] - '0')];
      const Rgb c = rgb((*cell)["fill"]);
      EXPECT_EQ(c.r == c.g && c.g == c.b && c.r < 200, !std::isfinite(w)) << "grey is for what is not finite";
    }
  }
  for (const Shape& shape :
       {Shape{1, 1}, Shape{1, 65536}, Shape{65536, 1}, Shape{5}, Shape{400, 1}, Shape{33, 1}, Shape{32, 1}})
    checked(show::heat_map(Tensor(shape, real(0.5))));
}

TEST(HeatMap, NamesStandBesideTheirRowsAndColumns) {
  const Tensor W({2, 3}, real(1));
  show::HeatMap how;
  how.title = pictures::evil;
  how.rows = {"the", pictures::evil};
  how.columns = {"x", "y", "中文"};
  const xml::Element svg = checked(show::heat_map(W, how));
  const auto at = cells(svg);
  for (const xml::Element* t : svg.all("text"))
    if (t->text == "the") {
      EXPECT_GT(t->number("y"), at.at("[0, 0]")->number("y"));
      EXPECT_LT(t->number("y"), at.at("[1, 0]")->number("y"));
      EXPECT_LT(t->number("x"), at.at("[0, 0]")->number("x"));
    }
  EXPECT_NE(svg.all_text().find("中文"), std::string::npos);
}

TEST(HeatMap, RefusesWhatItCannotDraw) {
  EXPECT_THROW(show::heat_map(Tensor()), ValueError);
  EXPECT_THROW(show::heat_map(Tensor({2, 2, 2}, real(0))), ShapeError);
  EXPECT_THROW(show::heat_map(Tensor({257, 256}, real(0))), ValueError);
  EXPECT_THROW(show::heat_map(Tensor({0, 3}, real(0))), ValueError);
  show::HeatMap how;
  how.rows = {"one"};
  EXPECT_THROW(show::heat_map(Tensor({2, 2}, real(0)), how), ValueError);
  how.rows = {}, how.columns = {"a", "b", "c"};
  EXPECT_THROW(show::heat_map(Tensor({2, 2}, real(0)), how), ValueError);
}

}  // namespace
