#include "autograd/graph/layout.h"

#include <algorithm>

namespace graft::graph {
namespace {

/// Each item goes one row above the highest of its users: the longest path from y.
void choose_rows(const std::vector<Box>& boxes, Layout& at) {
  at.spots.resize(boxes.size());
  std::vector<std::size_t> lowest(boxes.size(), std::size_t(-1));  // row of the lowest user
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    at.spots[i].width = boxes[i].width;
    for (const std::size_t from : boxes[i].inputs) {
      at.spots[from].row = std::max(at.spots[from].row, at.spots[i].row + 1);
      lowest[from] = std::min(lowest[from], at.spots[i].row);
    }
  }
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    at.trunks.push_back({i});
    for (std::size_t row = at.spots[i].row; lowest[i] != std::size_t(-1) && --row > lowest[i];) {
      at.trunks[i].push_back(at.spots.size());
      at.spots.emplace_back();
      at.spots.back().row = row;
    }
  }
}

void join(const std::vector<Box>& boxes, Layout& at) {
  const auto link = [&](std::size_t upper, std::size_t lower) {
    at.spots[upper].below.push_back(lower);
    at.spots[lower].above.push_back(upper);
  };
  for (const auto& trunk : at.trunks)
    for (std::size_t k = 1; k < trunk.size(); ++k) link(trunk[k - 1], trunk[k]);
  for (std::size_t i = 0; i < boxes.size(); ++i)
    for (const std::size_t from : boxes[i].inputs) link(at.last(from, at.spots[i].row), i);
}

/// The initial order: the spots of a row in the order in which the row below uses them.
void fill_rows(Layout& at) {
  std::vector<bool> placed(at.spots.size(), false);
  at.rows = {{0}};
  for (std::size_t r = 0; r < at.rows.size(); ++r) {
    std::vector<std::size_t> next;
    for (const std::size_t lower : at.rows[r])
      for (const std::size_t upper : at.spots[lower].above)
        if (!placed[upper]) {
          placed[upper] = true;
          next.push_back(upper);
        }
    if (!next.empty()) at.rows.push_back(std::move(next));
  }
}

using Order = std::vector<double>;  // by spot: its place in its row

Order order_of(const Layout& at) {
  Order order(at.spots.size());
  for (const auto& row : at.rows)
    for (std::size_t i = 0; i < row.size(); ++i) order[row[i]] = static_cast<double>(i);
  return order;
}

}  // namespace

std::size_t crossings(const Layout& at) {
  const Order order = order_of(at);
  std::size_t count = 0;
  for (const auto& row : at.rows) {
    std::vector<double> passed;  // upper ends of the lines from all spots further left
    for (const std::size_t spot : row) {
      for (const std::size_t upper : at.spots[spot].above)
        count += static_cast<std::size_t>(
            std::count_if(passed.begin(), passed.end(), [&](double other) { return other > order[upper]; }));
      for (const std::size_t upper : at.spots[spot].above) passed.push_back(order[upper]);
    }
  }
  return count;
}

namespace {

double average(const std::vector<std::size_t>& spots, const Order& of, double otherwise) {
  if (spots.empty()) return otherwise;
  double sum = 0;
  for (const std::size_t spot : spots) sum += of[spot];
  return sum / static_cast<double>(spots.size());
}

/// Sorts each row by the average place of its neighbours below, then above, and so on; keeps the best order found.
void choose_order(Layout& at) {
  auto best = at.rows;
  std::size_t fewest = crossings(at);
  for (int sweep = 0; sweep < 12 && fewest > 0; ++sweep) {
    const bool up = sweep % 2 == 1;
    for (std::size_t k = 0; k < at.rows.size(); ++k) {
      auto& row = at.rows[up ? k : at.rows.size() - 1 - k];
      const Order order = order_of(at);
      Order mean(at.spots.size());
      for (const std::size_t s : row) mean[s] = average(up ? at.spots[s].below : at.spots[s].above, order, order[s]);
      std::stable_sort(row.begin(), row.end(), [&](std::size_t a, std::size_t b) { return mean[a] < mean[b]; });
    }
    const std::size_t now = crossings(at);
    if (now < fewest) {
      fewest = now;
      best = at.rows;
    }
  }
  at.rows = std::move(best);
}

/// Where a spot is pulled to, and how strongly.
struct Target {
  double x, weight;
};

/// The places nearest to the targets (least squares) that keep the order and do not overlap. Subtracting the space that the
/// spots further left need turns "no overlap" into "not decreasing"; targets out of order then share their average.
void settle(Layout& at, const std::vector<std::size_t>& row, const std::vector<Target>& targets, double gap) {
  struct Block {
    double sum, weight;
    std::size_t count;
    double mean() const { return sum / weight; }
  };
  std::vector<double> room(row.size(), 0);
  std::vector<Block> blocks;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (i > 0) room[i] = room[i - 1] + (at.spots[row[i - 1]].width + at.spots[row[i]].width) / 2 + gap;
    blocks.push_back({(targets[i].x - room[i]) * targets[i].weight, targets[i].weight, 1});
    while (blocks.size() > 1 && blocks[blocks.size() - 2].mean() > blocks.back().mean()) {
      const Block last = blocks.back();
      blocks.pop_back();
      blocks.back().sum += last.sum;
      blocks.back().weight += last.weight;
      blocks.back().count += last.count;
    }
  }
  std::size_t i = 0;
  for (const Block& block : blocks)
    for (std::size_t k = 0; k < block.count; ++k, ++i) at.spots[row[i]].x = block.mean() + room[i];
}

/// The weighted mean of the neighbours. Long lines pull hardest, so that they become straight.
Target target(const Layout& at, std::size_t spot) {
  const auto bend = [&](std::size_t s) { return at.spots[s].width == 0; };
  Target sum{0, 0};
  const auto pull = [&](std::size_t other) {
    const double weight = bend(spot) && bend(other) ? 16 : bend(spot) || bend(other) ? 2 : 1;
    sum.x += weight * at.spots[other].x;
    sum.weight += weight;
  };
  for (const std::size_t other : at.spots[spot].above) pull(other);
  for (const std::size_t other : at.spots[spot].below) pull(other);
  return sum.weight > 0 ? Target{sum.x / sum.weight, sum.weight} : Target{at.spots[spot].x, 1};
}

/// Every spot is pulled towards its neighbours above and below, row by row, in many sweeps.
void choose_places(Layout& at, double gap) {
  for (const auto& row : at.rows) settle(at, row, std::vector<Target>(row.size(), {0, 1}), gap);
  for (int sweep = 0; sweep < 200; ++sweep) {
    for (std::size_t k = 0; k < at.rows.size(); ++k) {
      const auto& row = at.rows[sweep % 2 ? at.rows.size() - 1 - k : k];
      std::vector<Target> targets;
      for (const std::size_t spot : row) targets.push_back(target(at, spot));
      settle(at, row, targets, gap);
    }
  }
}

}  // namespace

Layout layout(const std::vector<Box>& boxes, double gap) {
  Layout at;
  choose_rows(boxes, at);
  join(boxes, at);
  fill_rows(at);
  choose_order(at);
  choose_places(at, gap);
  at.left = at.spots[0].x;
  at.right = at.left;
  for (const Spot& spot : at.spots) {
    at.left = std::min(at.left, spot.x - spot.width / 2);
    at.right = std::max(at.right, spot.x + spot.width / 2);
  }
  return at;
}

}  // namespace graft::graph
