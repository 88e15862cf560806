// The parameters of a model as a table, those of like layers in one row.
#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "autograd/text.h"
#include "show/inside/cells.h"
#include "show/inside/words.h"
#include "show/model.h"

namespace graft::show {
namespace {

/// A path in parts; those that are numbers say which member of a list it is.
std::vector<std::string> parts_of(const std::string& path) {
  std::vector<std::string> parts{""};
  for (const char c : path)
    if (c == '.') parts.emplace_back();
    else parts.back() += c;
  return parts;
}
bool is_number(const std::string& part) { return !part.empty() && part.find_first_not_of("0123456789") == std::string::npos; }

/// Weights that differ only in the numbers in their paths.
struct Group {
  std::vector<std::string> paths;
  std::string shape, state;
  Index numbers = 0;  // of one
};

/// "0–11" or "0, 2, 5"
std::string listed(const std::set<Index>& numbers) {
  std::string out;
  for (auto at = numbers.begin(); at != numbers.end();) {
    const Index first = *at;
    Index last = first;
    while (++at != numbers.end() && *at == last + 1) ++last;
    out += (out.empty() ? "" : ", ") + std::to_string(first);
    if (last != first) out += (last == first + 1 ? ", " : "–") + std::to_string(last);
  }
  return out;
}

/// "layers.0–11.attn.q.weight"
std::string name_of(const Group& group) {
  if (group.paths.size() == 1) return group.paths[0];
  std::vector<std::string> parts = parts_of(group.paths[0]);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!is_number(parts[i])) continue;
    std::set<Index> numbers;
    for (const std::string& path : group.paths) numbers.insert(std::stoll(parts_of(path)[i]));
    const std::string list = listed(numbers);
    parts[i] = list.find(',') == std::string::npos ? list : "{" + list + "}";
  }
  return joined(parts, ".");
}

class Groups {
 public:
  void add(const std::string& path, const std::string& adapter, const Shape& shape, const std::string& state) {
    std::string key = adapter + '\n' + shape.str() + '\n' + state;
    for (const std::string& part : parts_of(path))
      key += '\n' + (is_number(part) && part.size() < 10 ? "#" : part);
    const auto known = place_.emplace(key, all.size());
    if (known.second) all.push_back({{}, shape.str(), state, shape.numel()});
    all[known.first->second].paths.push_back(path);
  }
  std::vector<Group> all;

 private:
  std::map<std::string, std::size_t> place_;
};

Cell folded(const Group& group) {
  Cell cell{name_of(group), "", ""};
  if (group.paths.size() == 1) return cell;
  cell.html = "<details><summary style=\"cursor:pointer\">" + escaped(cell.words) + "</summary>";
  for (const std::string& path : group.paths) cell.html += "<div style=\"padding-left:1.2em\">" + escaped(path) + "</div>";
  cell.html += "</details>";
  return cell;
}

std::string percent(Index part, Index all) {
  char out[32];
  std::snprintf(out, sizeof out, "%.3g %%", 100 * static_cast<double>(part) / static_cast<double>(std::max<Index>(1, all)));
  return out;
}

}  // namespace

Html parameters(const peft::BaseModel& base) {
  std::map<const Param*, std::string> adapter_of;
  for (const peft::Owned& one : peft::owned(base)) adapter_of[one.param] = one.adapter;
  Groups groups;
  std::set<const void*> seen;
  base.root.each([&](const std::string& path, Part& part) {
    if (auto* param = dynamic_cast<Param*>(&part)) {
      if (!seen.insert(param->identity()).second) return;
      groups.add(path, adapter_of[param], param->shape(), param->learns() ? "learning" : "frozen");
    } else if (auto* packed = dynamic_cast<PackedPart*>(&part)) {
      const PackedMatrix& W = **packed;
      if (seen.insert(&W).second) groups.add(path, "", {W.rows(), W.cols()}, "frozen, " + W.format());
    }
  });

  std::vector<std::vector<Cell>> rows;
  Index learning = 0, all = 0;
  for (const Group& group : groups.all) {
    const auto times = static_cast<Index>(group.paths.size());
    const Index numbers = group.numbers * times;
    all += numbers;
    if (group.state == "learning") learning += numbers;
    rows.push_back({folded(group),
                    {group.shape, "", ""},
                    {times == 1 ? "" : text(times), "", ""},
                    {grouped(numbers), "", ""},
                    {group.state, "", ""}});
  }
  const std::size_t sums = rows.size();
  for (const auto& [name, n] :
       std::vector<std::pair<const char*, Index>>{{"learning", learning}, {"frozen", all - learning}, {"all", all}})
    rows.push_back(
        {{name, "", ""}, {}, {}, {grouped(n), "", ""}, {n == all && n != learning && n != 0 ? "" : percent(n, all), "", ""}});
  return table_of({"parameter", "shape", "how many", "numbers", "state"}, rows, sums);
}

}  // namespace graft::show
