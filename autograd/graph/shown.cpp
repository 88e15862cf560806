#include "autograd/graph/shown.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <unordered_map>
#include <unordered_set>

#include "autograd/errors.h"

namespace graft::graph {
namespace {

/// Every node that y was computed from, nearest first. A list instead of recursion: histories get long.
std::vector<const Node*> reach(const Node* y) {
  std::vector<const Node*> found{y};
  std::unordered_set<const Node*> seen{y};
  const auto visit = [&](const std::shared_ptr<Node>& node) {
    if (seen.insert(node.get()).second) found.push_back(node.get());
  };
  for (std::size_t i = 0; i < found.size(); ++i) {  // found grows meanwhile
    const Node* node = found[i];
    for (const Edge& edge : node->edges) visit(edge.input);
    for (const auto& input : node->frozen) visit(input);
  }
  return found;
}

bool newer(const Node* a, const Node* b) { return a->born > b->born; }

void add_arrow(ShownNode& item, std::size_t from, bool learns, std::size_t hidden) {
  const auto same = [&](const Arrow& arrow) { return arrow.from == hidden && arrow.learns == learns; };
  const bool known = from == hidden && std::any_of(item.inputs.begin(), item.inputs.end(), same);
  if (!known) item.inputs.push_back({from, learns});  // to what is hidden, one arrow is enough
}

/// The characters of a name, each as its UTF-8 bytes. Bytes that are no UTF-8, and characters that would break a line of
/// text or the XML, become U+FFFD.
std::vector<std::string> characters(const std::string& name) {
  std::vector<std::string> out;
  for (std::size_t i = 0, length = 1; i < name.size(); i += length) {
    const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(name[i + k]); };
    length = byte(0) < 0x80 ? 1 : byte(0) >> 5 == 0x6 ? 2 : byte(0) >> 4 == 0xE ? 3 : byte(0) >> 3 == 0x1E ? 4 : 0;
    bool whole = length > 0 && i + length <= name.size();
    std::uint32_t code = length < 2 ? byte(0) : byte(0) & (0x7Fu >> length);
    for (std::size_t k = 1; whole && k < length; ++k) {
      whole = byte(k) >> 6 == 0x2;
      code = code << 6 | (byte(k) & 0x3Fu);
    }
    const std::uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};  // below it, fewer bytes would have done
    whole = whole && code >= smallest[length];
    const bool control = code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x2028 || code == 0x2029;
    const bool outside = (code >= 0xD800 && code < 0xE000) || code == 0xFFFE || code == 0xFFFF || code > 0x10FFFF;
    if (!whole) length = 1;  // only this byte is lost
    out.push_back(whole && !control && !outside ? name.substr(i, length) : "\uFFFD");
  }
  return out;
}

std::string rounded(std::size_t bytes) {  // 1.5 KiB
  const char* const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB"};
  if (bytes < 1024) return std::to_string(bytes) + " B";
  double size = static_cast<double>(bytes) / 1024;
  int unit = 0;
  for (; size >= 1023.95 && unit < 4; ++unit) size /= 1024;
  char out[32];
  std::snprintf(out, sizeof out, "%.1f %s", size, units[unit]);
  return out;
}

}  // namespace

ShownGraph shown_graph(const Variable& y, const char* who, std::size_t most) {
  expect<ValueError>(y.defined(), who, ": the variable is empty; give it a value first");
  ShownGraph p;
  p.y = y.node() ? y.node() : std::make_shared<Node>("constant", y.shape(), Node::State::leaf, false);
  std::vector<const Node*> drawn = reach(p.y.get()), all = drawn;
  p.all = all.size();
  drawn.resize(std::min(most, p.all));
  std::sort(all.begin(), all.end(), newer);
  std::sort(drawn.begin(), drawn.end(), newer);

  std::unordered_map<const Node*, std::size_t> number, place;
  for (std::size_t i = 0; i < all.size(); ++i) number[all[i]] = all.size() - i;
  for (std::size_t i = 0; i < drawn.size(); ++i) place[drawn[i]] = i;
  const std::size_t hidden = drawn.size();
  const auto at = [&](const Node* node) {
    const auto found = place.find(node);
    return found == place.end() ? hidden : found->second;
  };
  for (const Node* node : drawn) {
    ShownNode item{node, number[node], {}};
    for (const Edge& edge : node->edges) add_arrow(item, at(edge.input.get()), true, hidden);
    for (const auto& input : node->frozen) add_arrow(item, at(input.get()), false, hidden);
    p.items.push_back(std::move(item));
  }
  if (hidden < p.all) p.items.push_back({nullptr, 0, {}});
  return p;
}

Kind kind(const ShownNode& item) {
  if (!item.node) return Kind::more;
  if (item.node->state == Node::State::spent) return Kind::spent;
  if (item.node->state == Node::State::live) return Kind::op;
  return item.node->requires_grad ? Kind::learning : Kind::frozen;
}

const Style& style_of(Kind kind) {
  static const Style looks[] = {{"learns", "#ffdf9e", "#a85b00", 18, ""},
                               {"frozen", "#cfe8f7", "#00588a", 0, ""},
                               {"op", "#f0f0f0", "#555555", 6, ""},
                               {"spent", "#ffffff", "#777777", 6, "5 3"},
                               {"more", "#ffffff", "#999999", 0, "1 3"}};
  return looks[static_cast<int>(kind)];
}

int columns(const std::string& s) {
  int n = 0;
  for (const std::string& c : characters(s)) n += c.size() > 2 && c != "\u2026" ? 2 : 1;
  return n;
}

std::string label(const Node& node, int most) {
  const bool named = node.state == Node::State::leaf && !node.name.empty();
  std::string out;
  int used = 0;
  for (const std::string& c : characters(named ? node.name : node.op)) {
    used += columns(c);
    if (used > most) return out + "\u2026";
    out += c;
  }
  return out;
}

std::string tagged(const ShownNode& item) { return text(label(*item.node), '#', item.number); }

std::size_t bytes(const Node& node) { return static_cast<std::size_t>(node.shape.numel()) * sizeof(real); }

std::string grouped(std::size_t n) {  // 99 800
  std::string digits = std::to_string(n);
  for (std::size_t i = digits.size(); i > 3;) digits.insert(i -= 3, " ");
  return digits;
}

Caption caption(const ShownGraph& p, const ShownNode& item) {
  if (!item.node) return {"... " + grouped(p.all - p.items.size() + 1) + " more", "older, not drawn"};
  return {text(label(*item.node, 32), " #", item.number), item.node->shape.str() + " " + rounded(bytes(*item.node))};
}

std::string tooltip(const ShownNode& item) {
  if (!item.node) return "nodes further from the result";
  return text(tagged(item), "  ", item.node->shape, "  ", bytes(*item.node), " B  ", style_of(kind(item)).word);
}

}  // namespace graft::graph
