// The graph of a Variable made visible: as text, as Graphviz DOT, and as a stand-alone SVG that any browser shows.
// A node shows its op (a leaf: its name), a number (1 is the oldest), the shape and bytes of its value, and its state.
// Constants have no node and are not shown; a node that backward() has used up is shown as released, without its inputs.
#pragma once
#include <string>

#include "autograd/variable.h"

namespace graft {

/// DOT and SVG draw at most this many nodes, those nearest to y, and count the rest.
constexpr int graph_drawn = 200;

/// One line per node, newest first, learning inputs before frozen ones: "mul#3 [2, 3] 24 B <- W#2 (learns), x#1 (frozen)".
/// Errors, for all three: ValueError for an empty Variable.
std::string graph_text(const Variable& y);
/// For `dot -Tsvg`. An arrow goes from an input to its result; a dashed one carries no gradient back.
std::string graph_dot(const Variable& y);
/// The same picture without Graphviz: inputs at the top, y at the bottom, each node above everything computed from it.
std::string graph_svg(const Variable& y);

}  // namespace graft
