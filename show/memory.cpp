// The memory ledger as a table.
#include <map>

#include "autograd/errors.h"
#include "show/inside/cells.h"
#include "show/table.h"

namespace graft::show {
namespace {

/// What one column of the table shows.
struct Moment {
  std::string name;
  std::array<std::size_t, categories> by_category;
  std::map<std::string, std::size_t> by_op;
  std::size_t total;
  bool ops_known;
};

Cell cell(std::size_t n) { return {bytes(n), text(n, " B"), ""}; }

Html table_of_moments(const std::vector<Moment>& moments) {
  std::vector<std::string> header{"memory"};
  for (const Moment& moment : moments) header.push_back(moment.name);
  std::vector<std::vector<Cell>> rows;
  const auto row = [&](const std::string& name, const auto& bytes_of, bool always = false) {
    std::vector<Cell> cells{{name, "", ""}};
    bool any = always;
    for (const Moment& moment : moments) {
      cells.push_back(bytes_of(moment));
      any = any || cells.back().words != bytes(0);
    }
    if (any) rows.push_back(std::move(cells));
  };
  std::map<std::string, int> ops;
  for (const Moment& moment : moments)
    for (const auto& op : moment.by_op)
      if (op.second != 0) ops[op.first];
  for (std::size_t c = 0; c < categories; ++c) {
    const auto category = static_cast<Category>(c);
    row(name(category), [&](const Moment& moment) { return cell(moment.by_category[c]); });
    if (category != Category::saved) continue;
    for (const auto& op : ops)
      row("\u00a0\u00a0\u00a0" + op.first, [&](const Moment& moment) {
        const auto found = moment.by_op.find(op.first);
        return moment.ops_known ? cell(found == moment.by_op.end() ? 0 : found->second) : Cell{"–", "", ""};
      });
  }
  const std::size_t sum = rows.size();
  row(
      "total", [](const Moment& moment) { return cell(moment.total); }, true);
  return table_of(header, rows, sum);
}

}  // namespace

Html memory(const Ledger& now) {
  // Each category has its own peak, at a moment of its own; by op no peaks are kept.
  return table_of_moments(
      {{"now", now.now, now.saved_by_op, now.total_now, true}, {"peak", now.peak, {}, now.total_peak, false}});
}

Html memory(const std::vector<std::pair<std::string, Ledger>>& moments) {
  std::vector<Moment> all;
  for (const auto& [name, ledger] : moments) all.push_back({name, ledger.now, ledger.saved_by_op, ledger.total_now, true});
  return table_of_moments(all);
}

}  // namespace graft::show
