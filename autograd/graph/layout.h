// A layered drawing of a graph (Sugiyama, Tagawa & Toda 1981): rows from the first box upwards, then an order and a place in each
// row. Knows widths and arrows, and nothing of what they stand for.
#pragma once
#include <cstddef>
#include <vector>

namespace graft::graph {

struct Box {
  double width;
  std::vector<std::size_t> inputs;  ///< by their places in the list: each after the boxes that it is an input of
};

/// Something that takes room in a row: a box, or the place where the line from a far input passes through.
struct Spot {
  std::size_t row = 0;  // 0 holds y and is drawn lowest
  double x = 0, width = 0;
  std::vector<std::size_t> above, below;  // the spots it is joined to in the next rows
};

struct Layout {
  std::vector<Spot> spots;                       // first one per item, in its order; then the bends
  std::vector<std::vector<std::size_t>> rows;    // of spots, left to right
  std::vector<std::vector<std::size_t>> trunks;  // by item: itself, then the bends on its way down. All who use it branch
                                                 // off from there, so a weight that is shared far below is one line
  double left = 0, right = 0;

  /// Where the line of `item` arrives above a user in `row`.
  std::size_t last(std::size_t item, std::size_t row) const { return trunks[item][spots[item].row - row - 1]; }
  };

/// gap: the free room between neighbours of a row. The first box is the one that all others are there for.
Layout layout(const std::vector<Box>& boxes, double gap);

/// Pairs of lines that cross, between each row and the one above it.
std::size_t crossings(const Layout& at);

}  // namespace graft::graph
