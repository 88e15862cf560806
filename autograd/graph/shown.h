// Which nodes of a history are shown, and how each is described: what text, DOT and SVG have in common.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "autograd/variable.h"

namespace graft::graph {

struct Arrow {
  std::size_t from;  ///< the input: its index in ShownGraph::items
  bool learns;       ///< a gradient goes back along it
};
struct ShownNode {
  const Node* node;  ///< null: stands for all nodes that are not drawn
  std::size_t number;
  std::vector<Arrow> inputs;
};
struct ShownGraph {
  std::shared_ptr<Node> y;
  std::vector<ShownNode> items;  ///< newest first, so that an input always comes after its results
  std::size_t all = 0;           ///< how many nodes there are, drawn or not
};
/// The nodes nearest to y, at most `most` of them. Errors: ValueError for an empty Variable
ShownGraph shown_graph(const Variable& y, const char* who, std::size_t most);

enum class Kind { learning, frozen, op, released, more };
Kind kind(const ShownNode& item);

/// Okabe and Ito's colours, made pale: distinguishable with any kind of colour vision, and by shape and line as well.
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
std::string tooltip(const ShownNode& item);  ///< in full, not shortened
std::string label(const Node& node, int most = 1 << 20);  ///< a leaf's name, or the op, in at most `most` columns
std::string tagged(const ShownNode& item);   ///< "mul#3"
std::size_t bytes(const Node& node);
/// About how many columns of a fixed-width font s takes: characters beyond Latin, Greek and Cyrillic may be wide.
int columns(const std::string& s);

}  // namespace graft::graph
