// A layered drawing of a graph (Sugiyama, Tagawa & Toda 1981): rows from the first box upwards, then an order and a place
// in each row. It knows widths and arrows, not what they stand for.
#pragma once
#include <cstddef>
#include <vector>

namespace graft::graph {

struct Box {
  double width;
  std::vector<std::size_t> inputs;  ///< as indices into the list: each comes after the boxes that use it
};

/// Something that takes space in a row: a box, or the point where the line from a distant input passes through.
struct Spot {
  std::size_t row = 0;  // 0 holds y and is drawn lowest
  double x = 0, width = 0;
  std::vector<std::size_t> above, below;  // the spots it is connected to in the adjacent rows
};

struct Layout {
  std::vector<Spot> spots;                       // first one per item, in the same order; then the bends
  std::vector<std::vector<std::size_t>> rows;    // of spots, left to right
  std::vector<std::vector<std::size_t>> trunks;  // by item: itself, then the bends on its way down. All its users branch
                                                 // off from there, so a weight that is shared far below is one line
  double left = 0, right = 0;
  double top = 0;  // of the highest row: what is drawn above it needs as much

  /// Where the line of `item` arrives above a user in `row`.
  std::size_t last(std::size_t item, std::size_t row) const { return trunks[item][spots[item].row - row - 1]; }
  };

/// gap: the free space between neighbours in a row. The first box is the result that all others are computed for.
Layout layout(const std::vector<Box>& boxes, double gap);

/// The number of pairs of lines that cross, between each row and the one above it.
std::size_t crossings(const Layout& at);

}  // namespace graft::graph
