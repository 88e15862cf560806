// The layered drawing of a graph: rows, no overlaps, few crossings, straight lines. Boxes are mere widths here.
#include "autograd/graph/layout.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/rng.h"
#include "autograd/sizes.h"

namespace graft::graph {
namespace {

constexpr double gap = 10;

void check(const std::vector<Box>& boxes, const Layout& at) {
  ASSERT_GE(at.spots.size(), boxes.size());
  for (std::size_t i = 0; i < boxes.size(); ++i)
    for (const std::size_t from : boxes[i].inputs) EXPECT_GT(at.spots[from].row, at.spots[i].row) << from << " over " << i;
  std::size_t placed = 0;
  for (std::size_t r = 0; r < at.rows.size(); ++r) {
    for (std::size_t k = 0; k < at.rows[r].size(); ++k, ++placed) {
      const Spot& spot = at.spots[at.rows[r][k]];
      EXPECT_EQ(spot.row, r);
      EXPECT_GE(spot.x - spot.width / 2, at.left - 1e-9);
      EXPECT_LE(spot.x + spot.width / 2, at.right + 1e-9);
      if (k == 0) continue;
      const Spot& before = at.spots[at.rows[r][k - 1]];
      EXPECT_GE(spot.x - before.x, (spot.width + before.width) / 2 + gap - 1e-6) << "row " << r;
    }
  }
  EXPECT_EQ(placed, at.spots.size()) << "each spot has a place in one row";
}

TEST(Layout, OfRandomGraphsNothingOverlapsAndInputsStandAbove) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Rng rng(seed);
    std::vector<Box> boxes(static_cast<std::size_t>(2 + rng.below(20)));
    for (std::size_t i = 0; i < boxes.size(); ++i) {
      boxes[i].width = 20 + 80 * rng.uniform();
      if (i == 0) continue;  // each is an input of some box before it, and perhaps of a second
      nth(boxes, rng.below(static_cast<Index>(i))).inputs.push_back(i);
      if (rng.below(2)) nth(boxes, rng.below(static_cast<Index>(i))).inputs.push_back(i);
    }
    SCOPED_TRACE(seed);
    check(boxes, layout(boxes, gap));
  }
}

TEST(Layout, AChainIsStraight) {
  const std::vector<Box> boxes{{30, {1}}, {50, {2}}, {20, {3}}, {40, {}}};
  const Layout at = layout(boxes, gap);
  check(boxes, at);
  EXPECT_EQ(at.rows.size(), 4u);
  for (const Spot& spot : at.spots) EXPECT_NEAR(spot.x, at.spots[0].x, 1e-6);
}

TEST(Layout, ATreeHasNoCrossings) {
  std::vector<Box> boxes(31, Box{30, {}});
  for (std::size_t i = 0; i < 15; ++i) boxes[i].inputs = {2 * i + 2, 2 * i + 1};  // the wrong way round
  const Layout at = layout(boxes, gap);
  check(boxes, at);
  EXPECT_EQ(crossings(at), 0u);
}

TEST(Layout, CrossedLinesAreUncrossed) {
  // 1 and 2 stand above 0, 3 above 2 and 4 above 1: whichever comes first, no two lines need to cross.
  const std::vector<Box> boxes{{30, {1, 2}}, {30, {4}}, {30, {3}}, {30, {}}, {30, {}}};
  EXPECT_EQ(crossings(layout(boxes, gap)), 0u);
  Layout crossed;  // by hand, two lines that cross
  crossed.spots.resize(4);
  crossed.rows = {{0, 1}, {2, 3}};
  crossed.spots[0].above = {3}, crossed.spots[1].above = {2};
  EXPECT_EQ(crossings(crossed), 1u);
}

TEST(Layout, ALineThatPassesRowsHasABendInEach) {
  const std::vector<Box> boxes{{30, {1, 3}}, {30, {2}}, {30, {3}}, {30, {}}};  // 3 is far above 0, too
  const Layout at = layout(boxes, gap);
  check(boxes, at);
  EXPECT_EQ(at.spots[3].row, 3u);
  ASSERT_EQ(at.trunks[3].size(), 3u);  // itself, and a bend in rows 2 and 1
  EXPECT_EQ(at.spots[at.trunks[3][1]].row, 2u);
  EXPECT_EQ(at.spots[at.trunks[3][2]].width, 0);
  EXPECT_NEAR(at.spots[at.trunks[3][1]].x, at.spots[at.trunks[3][2]].x, 1) << "long lines come out straight";
}

}  // namespace
}  // namespace graft::graph
