// The graph as text and as DOT; its SVG is in graph/svg.cpp.
#include "autograd/graph.h"

#include "autograd/errors.h"
#include "autograd/graph/shown.h"

namespace graft {

using namespace graph;

std::string graph_text(const Variable& y) {
  const ShownGraph p = shown_graph(y, "graph_text", std::size_t(-1));
  std::string out;
  for (const ShownNode& item : p.items) {
    out += text(tagged(item), ' ', item.node->shape, ' ', bytes(*item.node), " B");
    if (kind(item) != Kind::op) out += text(' ', style_of(kind(item)).word);
    const char* before = " <- ";
    for (const Arrow& arrow : item.inputs) {
      const ShownNode& input = p.items[arrow.from];
      out += before + tagged(input);
      if (kind(input) != Kind::op) out += text(" (", style_of(kind(input)).word, ')');
      before = ", ";
    }
    out += '\n';
  }
  return out;
}

namespace {
std::string quoted(const std::string& s) {  // in a DOT string, \ and " are special; \n separates two lines
  std::string out;
  for (const char c : s) out += c == '\n' ? "\\n" : c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return '"' + out + '"';
}

std::string dot_name(const ShownNode& item) { return item.node ? text('n', item.number) : "more"; }
}  // namespace

std::string graph_dot(const Variable& y) {
  const ShownGraph p = shown_graph(y, "graph_dot", graph_drawn);
  std::string out =
      "// orange: learns; blue: frozen; grey: an op; dashed outline: released; dashed arrow: no gradient goes back\n"
      "digraph graft {\n  rankdir=TB; bgcolor=white;" +
      // Otherwise Graphviz optimizes for minutes where one leaf is used throughout a long history.
      std::string(p.items.size() > 50 ? " nslimit=0;" : "") + "\n  node [shape=box, fontname=monospace, fontsize=11];\n";
  for (const ShownNode& item : p.items) {
    const Style& look = style_of(kind(item));
    const Caption words = caption(p, item);
    const char* style = look.dashes[0] ? "filled,dashed" : look.corner ? "filled,rounded" : "filled";
    out += text("  ", dot_name(item), " [label=", quoted(words.first + "\n" + words.second), ", tooltip=", quoted(tooltip(item)),
                ", style=\"", style, "\", fillcolor=\"", look.fill, "\", color=\"", look.line, "\"];\n");
  }
  for (const ShownNode& item : p.items)
    for (const Arrow& arrow : item.inputs)
      out += text("  ", dot_name(p.items[arrow.from]), " -> ", dot_name(item), arrow.learns ? ";\n" : " [style=dashed];\n");
  return out + "}\n";
}

}  // namespace graft
