#include "autograd/graph.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <unordered_map>
#include <unordered_set>

namespace graft {
namespace {

// --- the nodes to show ------------------------------------------------------------------------------------------------

struct Arrow {
  std::size_t from;  // the input: its place in Picture::items
  bool learns;       // a gradient goes back along it
};
struct Item {
  const Node* node;  // null: the one item that stands for all that is not drawn
  std::size_t number;
  std::vector<Arrow> inputs;
};
struct Picture {
  std::shared_ptr<Node> y;
  std::vector<Item> items;  // newest first, so that an input always comes after what is made of it
  std::size_t all = 0;      // how many nodes there are, drawn or not
};

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

void add_arrow(Item& item, std::size_t from, bool learns, std::size_t hidden) {
  const auto same = [&](const Arrow& arrow) { return arrow.from == hidden && arrow.learns == learns; };
  const bool known = from == hidden && std::any_of(item.inputs.begin(), item.inputs.end(), same);
  if (!known) item.inputs.push_back({from, learns});  // to what is hidden, one arrow is enough
}

Picture picture(const Variable& y, const char* who, std::size_t most) {
  expect<ValueError>(y.defined(), who, ": the variable is empty; give it a value first");
  Picture p;
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
    Item item{node, number[node], {}};
    for (const Edge& edge : node->edges) add_arrow(item, at(edge.input.get()), true, hidden);
    for (const auto& input : node->frozen) add_arrow(item, at(input.get()), false, hidden);
    p.items.push_back(std::move(item));
  }
  if (hidden < p.all) p.items.push_back({nullptr, 0, {}});
  return p;
}

// --- what is said of a node -------------------------------------------------------------------------------------------

enum class Kind { learning, frozen, op, spent, more };

Kind kind(const Item& item) {
  if (!item.node) return Kind::more;
  if (item.node->state == Node::State::spent) return Kind::spent;
  if (item.node->state == Node::State::live) return Kind::op;
  return item.node->requires_grad ? Kind::learning : Kind::frozen;
}

/// Okabe and Ito's colours, made pale: told apart with any kind of colour vision, and by form and line as well.
struct Look {
  const char *word, *fill, *line;
  int corner;          // radius in the SVG
  const char* dashes;  // of the outline
};
const Look& look(Kind kind) {
  static const Look looks[] = {{"learns", "#ffdf9e", "#a85b00", 18, ""},
                               {"frozen", "#cfe8f7", "#00588a", 0, ""},
                               {"op", "#f0f0f0", "#555555", 6, ""},
                               {"spent", "#ffffff", "#777777", 6, "5 3"},
                               {"more", "#ffffff", "#999999", 0, "1 3"}};
  return looks[static_cast<int>(kind)];
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

/// About how many columns of a fixed-width font it takes: beyond Latin, Greek and Cyrillic, characters may be wide.
int columns(const std::string& s) {
  int n = 0;
  for (const std::string& c : characters(s)) n += c.size() > 2 && c != "\u2026" ? 2 : 1;
  return n;
}

std::string label(const Node& node, int most = 1 << 20) {
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

std::string tagged(const Item& item) { return text(label(*item.node), '#', item.number); }

std::size_t bytes(const Node& node) { return static_cast<std::size_t>(node.shape.numel()) * sizeof(real); }

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

std::string grouped(std::size_t n) {  // 99 800
  std::string digits = std::to_string(n);
  for (std::size_t i = digits.size(); i > 3;) digits.insert(i -= 3, " ");
  return digits;
}

/// The two lines in the box of a node.
struct Lines {
  std::string first, second;
};
Lines lines(const Picture& p, const Item& item) {
  if (!item.node) return {"... " + grouped(p.all - p.items.size() + 1) + " more", "older, not drawn"};
  return {text(label(*item.node, 32), " #", item.number), item.node->shape.str() + " " + rounded(bytes(*item.node))};
}

std::string hover(const Item& item) {  // all of it, nothing shortened
  if (!item.node) return "nodes further from the result";
  return text(tagged(item), "  ", item.node->shape, "  ", bytes(*item.node), " B  ", look(kind(item)).word);
}

}  // namespace

// --- text -------------------------------------------------------------------------------------------------------------

std::string graph_text(const Variable& y) {
  const Picture p = picture(y, "graph_text", std::size_t(-1));
  std::string out;
  for (const Item& item : p.items) {
    out += text(tagged(item), ' ', item.node->shape, ' ', bytes(*item.node), " B");
    if (kind(item) != Kind::op) out += text(' ', look(kind(item)).word);
    const char* before = " <- ";
    for (const Arrow& arrow : item.inputs) {
      const Item& input = p.items[arrow.from];
      out += before + tagged(input);
      if (kind(input) != Kind::op) out += text(" (", look(kind(input)).word, ')');
      before = ", ";
    }
    out += '\n';
  }
  return out;
}

// --- DOT --------------------------------------------------------------------------------------------------------------

namespace {
std::string quoted(const std::string& s) {  // in a DOT string \ and " are special; \n stands between two lines
  std::string out;
  for (const char c : s) out += c == '\n' ? "\\n" : c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return '"' + out + '"';
}

std::string dot_name(const Item& item) { return item.node ? text('n', item.number) : "more"; }
}  // namespace

std::string graph_dot(const Variable& y) {
  const Picture p = picture(y, "graph_dot", graph_drawn);
  std::string out =
      "// orange: learns; blue: frozen; grey: an op; dashed outline: spent; dashed arrow: no gradient goes back\n"
      "digraph graft {\n  rankdir=TB; bgcolor=white;" +
      // Graphviz polishes for minutes where one leaf is used all over a long history.
      std::string(p.items.size() > 50 ? " nslimit=0;" : "") + "\n  node [shape=box, fontname=monospace, fontsize=11];\n";
  for (const Item& item : p.items) {
    const Look& its = look(kind(item));
    const Lines say = lines(p, item);
    const char* style = its.dashes[0] ? "filled,dashed" : its.corner ? "filled,rounded" : "filled";
    out += text("  ", dot_name(item), " [label=", quoted(say.first + "\n" + say.second), ", tooltip=", quoted(hover(item)),
                ", style=\"", style, "\", fillcolor=\"", its.fill, "\", color=\"", its.line, "\"];\n");
  }
  for (const Item& item : p.items)
    for (const Arrow& arrow : item.inputs)
      out += text("  ", dot_name(p.items[arrow.from]), " -> ", dot_name(item), arrow.learns ? ";\n" : " [style=dashed];\n");
  return out + "}\n";
}

// --- layout: rows from y upwards, then an order and a place in each row (Sugiyama, Tagawa & Toda 1981) ----------------

namespace {

constexpr double letter = 7.3, box_height = 40, row_pitch = 88, gap = 22, margin = 24, head = 64;

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
  double top(std::size_t spot) const { return head + row_pitch * static_cast<double>(rows.size() - 1 - spots[spot].row); }
};

/// Each item one row above the highest of those that use it: the longest path from y.
void choose_rows(const Picture& p, Layout& at) {
  at.spots.resize(p.items.size());
  std::vector<std::size_t> lowest(p.items.size(), std::size_t(-1));  // row of the lowest user
  for (std::size_t i = 0; i < p.items.size(); ++i) {
    const Lines say = lines(p, p.items[i]);
    at.spots[i].width = letter * std::max(columns(say.first), columns(say.second)) + 24;
    for (const Arrow& arrow : p.items[i].inputs) {
      at.spots[arrow.from].row = std::max(at.spots[arrow.from].row, at.spots[i].row + 1);
      lowest[arrow.from] = std::min(lowest[arrow.from], at.spots[i].row);
    }
  }
  for (std::size_t i = 0; i < p.items.size(); ++i) {
    at.trunks.push_back({i});
    for (std::size_t row = at.spots[i].row; lowest[i] != std::size_t(-1) && --row > lowest[i];) {
      at.trunks[i].push_back(at.spots.size());
      at.spots.emplace_back();
      at.spots.back().row = row;
    }
  }
}

void join(const Picture& p, Layout& at) {
  const auto link = [&](std::size_t upper, std::size_t lower) {
    at.spots[upper].below.push_back(lower);
    at.spots[lower].above.push_back(upper);
  };
  for (const auto& trunk : at.trunks)
    for (std::size_t k = 1; k < trunk.size(); ++k) link(trunk[k - 1], trunk[k]);
  for (std::size_t i = 0; i < p.items.size(); ++i)
    for (const Arrow& arrow : p.items[i].inputs) link(at.last(arrow.from, at.spots[i].row), i);
}

/// A first order: the spots of a row in the order in which the row below asks for them.
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

/// Pairs of lines that cross, between each row and the one above it.
std::size_t crossings(const Layout& at) {
  const Order order = order_of(at);
  std::size_t count = 0;
  for (const auto& row : at.rows) {
    std::vector<double> passed;  // where the lines end above, of all spots further left
    for (const std::size_t spot : row) {
      for (const std::size_t upper : at.spots[spot].above)
        count += static_cast<std::size_t>(
            std::count_if(passed.begin(), passed.end(), [&](double other) { return other > order[upper]; }));
      for (const std::size_t upper : at.spots[spot].above) passed.push_back(order[upper]);
    }
  }
  return count;
}

double average(const std::vector<std::size_t>& spots, const Order& of, double otherwise) {
  if (spots.empty()) return otherwise;
  double sum = 0;
  for (const std::size_t spot : spots) sum += of[spot];
  return sum / static_cast<double>(spots.size());
}

/// Sorts each row by the average place of its neighbours below, then above, and so on; keeps the best that was seen.
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

/// Where a spot would like to be, and how much.
struct Wish {
  double x, weight;
};

/// The places nearest to the wishes (least squares) that keep the order and do not overlap. Subtracting the room that the
/// spots further left need turns "no overlap" into "not decreasing"; then wishes out of order share their average.
void settle(Layout& at, const std::vector<std::size_t>& row, const std::vector<Wish>& wishes) {
  struct Block {
    double sum, weight;
    std::size_t count;
    double mean() const { return sum / weight; }
  };
  std::vector<double> room(row.size(), 0);
  std::vector<Block> blocks;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (i > 0) room[i] = room[i - 1] + (at.spots[row[i - 1]].width + at.spots[row[i]].width) / 2 + gap;
    blocks.push_back({(wishes[i].x - room[i]) * wishes[i].weight, wishes[i].weight, 1});
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

/// The weighted mean of the neighbours. Long lines pull hardest, so that they come out straight.
Wish wish(const Layout& at, std::size_t spot) {
  const auto bend = [&](std::size_t s) { return at.spots[s].width == 0; };
  Wish sum{0, 0};
  const auto pull = [&](std::size_t other) {
    const double weight = bend(spot) && bend(other) ? 16 : bend(spot) || bend(other) ? 2 : 1;
    sum.x += weight * at.spots[other].x;
    sum.weight += weight;
  };
  for (const std::size_t other : at.spots[spot].above) pull(other);
  for (const std::size_t other : at.spots[spot].below) pull(other);
  return sum.weight > 0 ? Wish{sum.x / sum.weight, sum.weight} : Wish{at.spots[spot].x, 1};
}

/// Every spot wants to be below and above its neighbours; rows give in to one another many times over.
void choose_places(Layout& at) {
  for (const auto& row : at.rows) settle(at, row, std::vector<Wish>(row.size(), {0, 1}));
  for (int sweep = 0; sweep < 200; ++sweep) {
    for (std::size_t k = 0; k < at.rows.size(); ++k) {
      const auto& row = at.rows[sweep % 2 ? at.rows.size() - 1 - k : k];
      std::vector<Wish> wishes;
      for (const std::size_t spot : row) wishes.push_back(wish(at, spot));
      settle(at, row, wishes);
    }
  }
}

Layout layout(const Picture& p) {
  Layout at;
  choose_rows(p, at);
  join(p, at);
  fill_rows(at);
  choose_order(at);
  choose_places(at);
  at.left = at.spots[0].x;
  at.right = at.left;
  for (const Spot& spot : at.spots) {
    at.left = std::min(at.left, spot.x - spot.width / 2);
    at.right = std::max(at.right, spot.x + spot.width / 2);
  }
  return at;
}

// --- SVG --------------------------------------------------------------------------------------------------------------

std::string escaped(const std::string& s) {  // for XML
  std::string out;
  for (const char c : s)
    out += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '"' ? "&quot;" : std::string(1, c);
  return out;
}

long pixel(double x) { return std::lround(x); }

std::string box(double left, double top, double width, double height, const Look& its) {
  return text("<rect x=\"", pixel(left), "\" y=\"", pixel(top), "\" width=\"", pixel(width), "\" height=\"", pixel(height),
              "\" rx=\"", std::min<long>(its.corner, pixel(height / 2)), "\" fill=\"", its.fill, "\" stroke=\"", its.line, '"',
              its.dashes[0] ? text(" stroke-dasharray=\"", its.dashes, '"') : "", "/>");
}

std::string written(double x, double y, const std::string& words, const char* more = "") {
  return text("<text x=\"", pixel(x), "\" y=\"", pixel(y), '"', more, '>', escaped(words), "</text>");
}

std::string curve(double x0, double y0, double x1, double y1) {  // leaves and arrives upright
  const double middle = (y0 + y1) / 2;
  return text('M', pixel(x0), ' ', pixel(y0), " C", pixel(x0), ' ', pixel(middle), ' ', pixel(x1), ' ', pixel(middle), ' ',
              pixel(x1), ' ', pixel(y1));
}

const char* dashed(bool learns) { return learns ? "" : " stroke-dasharray=\"6 4\""; }

/// The line of an item down to its lowest bend, which all its arrows share.
std::string trunk(const Picture& p, const Layout& at, std::size_t item, double shift) {
  std::string path;
  const auto& line = at.trunks[item];
  for (std::size_t k = 1; k < line.size(); ++k) {
    const double top = at.top(line[k]), x = at.spots[line[k]].x + shift;
    path += curve(at.spots[line[k - 1]].x + shift, at.top(line[k - 1]) + box_height, x, top) +
            text(" V", pixel(top + box_height), ' ');
  }
  if (path.empty()) return path;
  const bool learns = !p.items[item].node || p.items[item].node->requires_grad;
  return text("<path class=\"trunk\" d=\"", path, '"', dashed(learns), "/>\n");
}

/// The arrows into an item. They arrive side by side along its upper edge, in the order of where they come from.
std::string arrows(const Picture& p, const Layout& at, std::size_t item, double shift) {
  std::vector<Arrow> inputs = p.items[item].inputs;
  const auto from = [&](const Arrow& arrow) { return at.last(arrow.from, at.spots[item].row); };
  std::stable_sort(inputs.begin(), inputs.end(),
                   [&](const Arrow& a, const Arrow& b) { return at.spots[from(a)].x < at.spots[from(b)].x; });
  const Spot& to = at.spots[item];
  std::string out;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const double port = to.x + to.width * (static_cast<double>(k + 1) / static_cast<double>(inputs.size() + 1) - 0.5);
    const std::size_t start = from(inputs[k]);
    out += text("<path class=\"arrow\" d=\"",
                curve(at.spots[start].x + shift, at.top(start) + box_height, port + shift, at.top(item) - 2), '"',
                dashed(inputs[k].learns), " marker-end=\"url(#graft-tip)\"/>\n");
  }
  return out;
}

std::string boxed(const Picture& p, const Layout& at, std::size_t item, double shift) {
  const Spot& spot = at.spots[item];
  const Lines say = lines(p, p.items[item]);
  const double x = spot.x + shift, top = at.top(item);
  return text("<g class=\"node\"><title>", escaped(hover(p.items[item])), "</title>",
              box(x - spot.width / 2, top, spot.width, box_height, look(kind(p.items[item]))),
              written(x, top + 17, say.first, " font-weight=\"bold\""), written(x, top + 32, say.second), "</g>\n");
}

/// What the colours and lines mean. Gives its width as well.
std::pair<std::string, double> legend(double x, double y) {
  const std::pair<Kind, const char*> entries[] = {
      {Kind::learning, "learns"}, {Kind::frozen, "frozen"}, {Kind::op, "op"}, {Kind::spent, "spent (backward is done)"}};
  std::string out;
  const auto entry = [&](const std::string& sample, const std::string& words) {
    out += sample + written(x + 34, y + 12, words) + "\n";
    x += 34 + letter * columns(words) + gap;
  };
  for (const auto& [kind, words] : entries) entry(box(x, y, 26, 16, look(kind)), words);
  entry(text("<path d=\"M", pixel(x), ' ', pixel(y + 8), " h26\" fill=\"none\" stroke=\"#444\"", dashed(false), "/>"),
        "no gradient goes back");
  return {"<g class=\"legend\">\n" + out + "</g>\n", x};
}

}  // namespace

std::string graph_svg(const Variable& y) {
  const Picture p = picture(y, "graph_svg", graph_drawn);
  const Layout at = layout(p);
  const auto [key, key_width] = legend(margin, 32);
  const double width = std::max(at.right - at.left + 2 * margin, key_width);
  const double height = head + row_pitch * static_cast<double>(at.rows.size() - 1) + box_height + margin;
  const double shift = (width - at.left - at.right) / 2;  // in the middle
  std::string title =
      text(tagged(p.items[0]), " and what it was computed from: ", grouped(p.all), p.all == 1 ? " node" : " nodes");
  if (p.items.back().node == nullptr)
    title = text(label(*p.y), ", the nearest ", graph_drawn, " of ", grouped(p.all), " nodes");

  std::string out = text("<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"", pixel(width), "\" height=\"",
                         pixel(height), "\" viewBox=\"0 0 ", pixel(width), ' ', pixel(height),
                         "\" font-family=\"ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" font-size=\"12\">\n");
  out += "<title>" + escaped(title) + "</title>\n";
  out +=
      "<defs><marker id=\"graft-tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" "
      "orient=\"auto\"><path d=\"M0 0 L8 4 L0 8 z\" fill=\"#444\"/></marker></defs>\n";
  out += "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n<g fill=\"#111111\">\n";
  out += written(margin, 20, title) + "\n" + key + "</g>\n";
  out += "<g fill=\"none\" stroke=\"#444\" stroke-width=\"1.2\">\n";
  for (std::size_t i = 0; i < p.items.size(); ++i) out += trunk(p, at, i, shift);
  for (std::size_t i = 0; i < p.items.size(); ++i) out += arrows(p, at, i, shift);
  out += "</g>\n<g fill=\"#111111\" text-anchor=\"middle\">\n";
  for (std::size_t i = 0; i < p.items.size(); ++i) out += boxed(p, at, i, shift);
  return out + "</g>\n</svg>\n";
}

}  // namespace graft
