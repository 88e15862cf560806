#include "cli/collapse_layers.h"

#include <algorithm>
#include <cctype>
#include <sstream>
#include <vector>

namespace graft::cli {
namespace {

std::size_t indent(const std::string& line) { return std::min(line.find_first_not_of(' '), line.size()); }

/// A line and the deeper ones below it.
struct Branch {
  std::string head, below;
};

/// "layers.3" from "  layers.3: Block" if it ends in a number, otherwise empty.
std::string numbered(const std::string& head) {
  const std::size_t colon = head.find(':');
  const bool yes = colon != std::string::npos && colon > 0 && std::isdigit(static_cast<unsigned char>(head[colon - 1]));
  return yes ? head.substr(indent(head), colon - indent(head)) : "";
}
std::string without_number(const std::string& name) { return name.substr(0, name.find_last_not_of("0123456789") + 1); }
std::string kind(const std::string& head) { return head.substr(head.find(':')); }

bool alike(const Branch& a, const Branch& b) {
  const std::string x = numbered(a.head), y = numbered(b.head);
  return !x.empty() && !y.empty() && without_number(x) == without_number(y) && kind(a.head) == kind(b.head) &&
         a.below == b.below;
}

}  // namespace

std::string collapse_layers(const std::string& tree) {
  std::vector<Branch> branches;
  std::istringstream in(tree);
  std::size_t level = 0;
  for (std::string line; std::getline(in, line);) {
    if (branches.empty()) level = indent(line);
    if (branches.empty() || indent(line) <= level) branches.push_back({line, ""});
    else branches.back().below += line + "\n";
  }
  std::string out;
  for (std::size_t i = 0; i < branches.size();) {
    std::size_t end = i + 1;
    while (end < branches.size() && alike(branches[i], branches[end])) ++end;
    const std::string& head = branches[i].head;
    out += end == i + 1 ? head : head.substr(0, head.find(':')) + " ... " + numbered(branches[end - 1].head) + kind(head);
    out += "\n" + (branches[i].below.empty() ? "" : collapse_layers(branches[i].below));
    i = end;
  }
  return out;
}

}  // namespace graft::cli
