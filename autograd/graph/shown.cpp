#include "autograd/graph/shown.h"

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <unordered_set>

#include "autograd/text.h"
#include "autograd/utf8.h"

namespace graft::graph {
namespace {

/// Every node that y was computed from, nearest first. A list instead of recursion: histories get long.
std::vector<const Node*> reach(const Node* y) {
  std::vector<const Node*> found{y};
  std::unordered_set<const Node*> seen{y};
  const auto visit = [&](const std::shared_ptr<Node>& node) {
    if (seen.insert(node.get()).second) found.push_back(node.get());
  };
  for (std::size_t i = 0; i < found.size(); ++i) {  // found grows during the loop
    const Node* node = found[i];
    for (const Edge& edge : node->edges) visit(edge.input);
    for (const auto& input : node->frozen) visit(input);
  }
  return found;
}

bool newer(const Node* a, const Node* b) { return a->sequence > b->sequence; }

void add_arrow(ShownNode& item, std::size_t from, bool learns, std::size_t hidden) {
  const auto same = [&](const Arrow& arrow) { return arrow.from == hidden && arrow.learns == learns; };
  const bool known = from == hidden && std::any_of(item.inputs.begin(), item.inputs.end(), same);
  if (!known) item.inputs.push_back({from, learns});  // one arrow to all hidden nodes is enough
}

/// The characters of a name, each as its UTF-8 bytes. Ill-formed UTF-8 and characters that would break a line of text
/// or the XML become U+FFFD.
std::vector<std::string> characters(const std::string& name) {
  std::vector<std::string> out;
  for (std::size_t i = 0, length = 1; i < name.size(); i += length) {
    const utf8::Character c = utf8::front(std::string_view(name).substr(i));
    length = c.length;
    const bool control = c.point < 0x20 || (c.point >= 0x7F && c.point < 0xA0) || c.point == 0x2028 || c.point == 0x2029;
    const bool no_character = c.point == utf8::Character::none || c.point == 0xFFFE || c.point == 0xFFFF;
    out.push_back(control || no_character ? "\uFFFD" : name.substr(i, length));
  }
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
  if (item.node->state == Node::State::released) return Kind::released;
  if (item.node->state == Node::State::live) return Kind::op;
  return item.node->requires_grad ? Kind::learning : Kind::frozen;
}

const Style& style_of(Kind kind) {
  static const Style looks[] = {{"learns", "#ffdf9e", "#a85b00", 18, ""},
                               {"frozen", "#cfe8f7", "#00588a", 0, ""},
                               {"op", "#f0f0f0", "#555555", 6, ""},
                               {"released", "#ffffff", "#777777", 6, "5 3"},
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

Caption caption(const ShownGraph& p, const ShownNode& item) {
  if (!item.node) return {"... " + grouped(static_cast<std::int64_t>(p.all - p.items.size() + 1)) + " more", "older, not drawn"};
  return {text(label(*item.node, 32), " #", item.number), item.node->shape.str() + " " + short_bytes(static_cast<double>(bytes(*item.node)))};
}

std::string tooltip(const ShownNode& item) {
  if (!item.node) return "nodes further from the result";
  return text(tagged(item), "  ", item.node->shape, "  ", bytes(*item.node), " B  ", style_of(kind(item)).word);
}

}  // namespace graft::graph
