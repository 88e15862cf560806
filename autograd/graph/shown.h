// Which nodes of a history are shown, and what is said of each: what text, DOT and SVG have in common.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "autograd/variable.h"

namespace graft::graph {

struct Arrow {
  std::size_t from;  ///< the input: its place in ShownGraph::items
  bool learns;       ///< a gradient goes back along it
};
struct ShownNode {
  const Node* node;  ///< null: the one that stands for all that is not drawn
  std::size_t number;
  std::vector<Arrow> inputs;
};
struct ShownGraph {
  std::shared_ptr<Node> y;
  std::vector<ShownNode> items;  ///< newest first, so that an input always comes after what is made of it
  std::size_t all = 0;           ///< how many nodes there are, drawn or not
};
/// The nodes nearest to y, at most so many. Errors: ValueError for an empty Variable
ShownGraph shown_graph(const Variable& y, const char* who, std::size_t most);

enum class Kind { learning, frozen, op, released, more };
Kind kind(const ShownNode& item);

/// Okabe and Ito's colours, made pale: told apart with any kind of colour vision, and by form and line as well.
struct Style {
  const char *word, *fill, *line;
  int corner;          ///< radius in the SVG
  const char* dashes;  ///< of the outline
};
const Style& style_of(Kind kind);

/// The two lines in the box of a node.
struct Caption {
  std::string first, second;
};
Caption caption(const ShownGraph& p, const ShownNode& item);
std::string tooltip(const ShownNode& item);  ///< all of it, nothing shortened
std::string label(const Node& node, int most = 1 << 20);  ///< a leaf's name, or the op, in at most so many columns
std::string tagged(const ShownNode& item);   ///< "mul#3"
std::size_t bytes(const Node& node);
/// About how many columns of a fixed-width font it takes: beyond Latin, Greek and Cyrillic, characters may be wide.
int columns(const std::string& s);

}  // namespace graft::graph
