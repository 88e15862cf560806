// Pictures of graphs: what they show of graphs whose shape is known by hand, and that what comes out is well formed.
#include "autograd/graph.h"

#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "autograd/ops.h"

namespace graft {
namespace {

Variable learning(const Shape& shape, const char* name) { return parameter(Tensor(shape, real(0.5)), name); }

std::string bytes(int numbers) { return std::to_string(static_cast<std::size_t>(numbers) * sizeof(real)) + " B"; }

int count(const std::string& where, const std::string& what) {
  int n = 0;
  for (std::size_t at = where.find(what); at != std::string::npos; at = where.find(what, at + what.size())) ++n;
  return n;
}

/// The matches point into `where`, which must live on.
std::vector<std::smatch> matches(const std::string& where, const std::string& pattern) {
  const std::regex expression(pattern);
  return {std::sregex_iterator(where.begin(), where.end(), expression), std::sregex_iterator()};
}

/// What is wrong with a piece of XML; empty if nothing. Knows elements, attributes, text and the five named entities.
std::string fault_in_xml(const std::string& xml) {
  static const std::regex tag(
      R"re(<(/?)([A-Za-z]+)((?:\s+[A-Za-z:-]+="[^"<&]*(?:&(?:amp|lt|gt|quot|apos);[^"<&]*)*")*)\s*(/?)>)re");
  static const std::regex words(R"((?:[^<>&]|&(?:amp|lt|gt|quot|apos);)*)");
  std::vector<std::string> open;
  std::size_t at = 0;
  int roots = 0;
  while (at < xml.size()) {
    const std::size_t next = std::min(xml.find('<', at), xml.size());
    if (!std::regex_match(xml.substr(at, next - at), words)) return "text: " + xml.substr(at, next - at);
    if (next == xml.size()) break;
    const std::size_t end = xml.find('>', next);
    if (end == std::string::npos) return "a tag does not end";
    const std::string whole = xml.substr(next, end + 1 - next);
    std::smatch parts;
    if (!std::regex_match(whole, parts, tag)) return "tag: " + whole;
    std::set<std::string> names;
    const std::string attributes = parts[3];
    for (const std::smatch& attribute : matches(attributes, R"re(([A-Za-z:-]+)="[^"]*")re"))
      if (!names.insert(attribute[1]).second) return "an attribute twice: " + whole;
    if (parts[1].length()) {
      if (open.empty() || open.back() != parts[2]) return "closes what is not open: " + whole;
      open.pop_back();
    } else {
      if (open.empty() && ++roots > 1) return "two roots";
      if (!parts[4].length()) open.push_back(parts[2]);
    }
    at = end + 1;
  }
  for (const char c : xml)
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n') return "a control character";
  return open.empty() ? (roots == 1 ? "" : "no root") : "left open: " + open.back();
}

TEST(Graph, TheCheckerOfXmlFindsFaults) {
  EXPECT_EQ(fault_in_xml("<a b=\"1 &lt;\"><c/>x &amp; y</a>\n"), "");
  for (const char* bad :
       {"<a>", "<a></b>", "<a b=\"<\"/>", "<a>&</a>", "<a/><b/>", "<a b=1/>", "<a b=\"1\" b=\"2\"/>", "<a>\x01</a>", ""})
    EXPECT_NE(fault_in_xml(bad), "") << bad;
}

/// W learns, x is frozen and used twice: by the product and by the sum.
Variable small_graph() {
  const Variable W = learning({3, 3}, "W"), x = frozen(Tensor({2, 3}, real(1)), "x");
  return tanh(linear(x, W) + x);
}

TEST(Graph, TextHasOneLinePerNodeNewestFirst) {
  EXPECT_EQ(graph_text(small_graph()), "tanh#5 [2, 3] " + bytes(6) + " <- add#4\n" + "add#4 [2, 3] " + bytes(6) +
                                           " <- linear#3, x#2 (frozen)\n" + "linear#3 [2, 3] " + bytes(6) +
                                           " <- W#1 (learns), x#2 (frozen)\n" + "x#2 [2, 3] " + bytes(6) + " frozen\n" +
                                           "W#1 [3, 3] " + bytes(9) + " learns\n");
}

TEST(Graph, DotHasEveryNodeOnceAndEveryArrow) {
  const std::string dot = graph_dot(small_graph());
  EXPECT_EQ(matches(dot, "\n  n[0-9]+ \\[label=").size(), 5u);
  EXPECT_EQ(count(dot, " -> "), 5);
  for (const char* arrow : {"n1 -> n3;", "n2 -> n3 [style=dashed];", "n3 -> n4;", "n2 -> n4 [style=dashed];", "n4 -> n5;"})
    EXPECT_EQ(count(dot, arrow), 1) << arrow;
}

TEST(Graph, SvgHasEveryNodeOnceAndEveryArrow) {
  const std::string svg = graph_svg(small_graph());
  EXPECT_EQ(fault_in_xml(svg), "");
  EXPECT_EQ(count(svg, "class=\"node\""), 5);
  EXPECT_EQ(count(svg, "class=\"arrow\""), 5);
  EXPECT_EQ(count(svg, "class=\"trunk\""), 1);  // x to the sum, past the row of the product
  for (const char* words : {">tanh #5<", ">add #4<", ">linear #3<", ">x #2<", ">W #1<"})
    EXPECT_EQ(count(svg, words), 1) << words;
}

TEST(Graph, SameInputTwiceIsOneNodeWithTwoArrows) {
  const Variable x = learning({2}, "x"), y = x * x;
  EXPECT_EQ(count(graph_text(y), "\n"), 2);
  EXPECT_EQ(count(graph_text(y), " <- x#1 (learns), x#1 (learns)\n"), 1);
  EXPECT_EQ(count(graph_dot(y), "n1 -> n2;"), 2);
  EXPECT_EQ(count(graph_svg(y), "class=\"arrow\""), 2);
}

/// The fill of the node whose hover text begins with `who`.
std::string fill_of(const std::string& svg, const std::string& who) {
  const auto found = matches(svg, "<title>" + who + "[^<]*</title><rect [^>]*fill=\"([^\"]+)\"");
  return found.size() == 1 ? found[0][1].str() : "not found";
}

TEST(Graph, StatesHaveColoursOfTheirOwn) {
  const Variable W = learning({2}, "W"), x = frozen(Tensor({2}, real(1)), "x"), h = W * x, y = sum(h);
  const std::string svg = graph_svg(y);
  const std::set<std::string> colours{fill_of(svg, "W"), fill_of(svg, "x"), fill_of(svg, "mul")};
  EXPECT_EQ(colours.size(), 3u);
  EXPECT_EQ(colours.count("not found"), 0u);
  EXPECT_EQ(fill_of(svg, "mul"), fill_of(svg, "sum"));

  y.backward();
  EXPECT_EQ(graph_text(y), "sum#1 [] " + bytes(1) + " released\n");
  EXPECT_EQ(colours.count(fill_of(graph_svg(y), "sum")), 0u);
  W.node()->requires_grad = false;  // a leaf shows as it is now
  EXPECT_EQ(graph_text(W), "W#1 [2] " + bytes(2) + " frozen\n");
}

TEST(Graph, LeavesWithoutNamesAndConstants) {
  EXPECT_EQ(graph_text(parameter(Tensor({2}, real(1)))), "leaf#1 [2] " + bytes(2) + " learns\n");
  const Variable constant{Tensor({2}, real(1))};
  EXPECT_EQ(graph_text(constant), "constant#1 [2] " + bytes(2) + " frozen\n");
  EXPECT_EQ(fault_in_xml(graph_svg(constant)), "");
  EXPECT_EQ(count(graph_text(learning({2}, "W") * constant), "\n"), 2);  // a constant leaves no trace in a history
  EXPECT_THROW(graph_text(Variable()), ValueError);
  EXPECT_THROW(graph_dot(Variable()), ValueError);
  EXPECT_THROW(graph_svg(Variable()), ValueError);
}

TEST(Graph, NamesFromUsersCannotBreakTheOutput) {
  const std::string rest(300, 'n');
  for (const std::string& name : {std::string("<script>&\"'"), std::string("a\nb\tc\x01"), std::string("back\\slash\\"),
                                  std::string("gr\xC3\xBC\xC3\x9F \xE6\xA0\x91"), std::string("\xFF\xC3"),
                                  std::string("\x85\xED\xA0\x80"), "x" + rest, std::string(1, '\0')}) {
    const Variable y = sum(parameter(Tensor({2}, real(1)), name));
    const std::string svg = graph_svg(y), dot = graph_dot(y), words = graph_text(y);
    EXPECT_EQ(fault_in_xml(svg), "") << name;
    EXPECT_EQ(svg.find("<script"), std::string::npos);
    EXPECT_EQ(count(words, "\n"), 2) << name;
    // Every string of the DOT ends where it should: outside of strings only plain characters are left.
    std::string outside = std::regex_replace(dot.substr(dot.find("digraph")), std::regex(R"re("(?:[^"\\\n]|\\.)*")re"), "");
    EXPECT_TRUE(std::regex_match(outside, std::regex(R"([A-Za-z0-9_ =,;>\[\]{}\n-]*)"))) << outside;
  }
  const Variable marks = parameter(Tensor({2}, real(1)), R"(a\"b\)");
  EXPECT_NE(graph_dot(marks).find(R"(label="a\\\"b\\ #1\n[2])"), std::string::npos) << graph_dot(marks);
  const Variable y = sum(parameter(Tensor({2}, real(1)), "gr\xC3\xBC\xC3\x9F <&>"));
  EXPECT_NE(graph_svg(y).find("gr\xC3\xBC\xC3\x9F &lt;&amp;&gt; #1"), std::string::npos);  // good UTF-8 stays
}

TEST(Graph, SvgStandsAlone) {
  const std::string svg = graph_svg(small_graph());
  EXPECT_EQ(count(svg, "http"), 1);  // the name of the SVG namespace, which is never fetched
  for (const char* outside : {"href", "@import", "<script", "<image"}) EXPECT_EQ(count(svg, outside), 0) << outside;
  EXPECT_EQ(matches(svg, "url\\(([^#])").size(), 0u);
}

struct Box {
  long x, y, width, height;
};
std::vector<Box> boxes(const std::string& svg) {
  std::vector<Box> found;
  for (const std::smatch& m : matches(svg, R"re(</title><rect x="(-?\d+)" y="(-?\d+)" width="(\d+)" height="(\d+)")re"))
    found.push_back({std::stol(m[1]), std::stol(m[2]), std::stol(m[3]), std::stol(m[4])});
  return found;
}

/// No two boxes overlap, all lie in the picture, and every text fits its box (0.6 of 12 pixels per letter).
void expect_tidy(const std::string& svg) {
  EXPECT_EQ(fault_in_xml(svg), "");
  const auto size = matches(svg, "viewBox=\"0 0 (\\d+) (\\d+)\"");
  const std::vector<Box> all = boxes(svg);
  ASSERT_EQ(static_cast<int>(all.size()), count(svg, "class=\"node\""));
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Box& a = all[i];
    EXPECT_TRUE(a.x >= 0 && a.y >= 0 && a.x + a.width <= std::stol(size.at(0)[1]) &&
                a.y + a.height <= std::stol(size.at(0)[2]));
    for (std::size_t k = 0; k < i; ++k) {
      const Box& b = all[k];
      EXPECT_FALSE(a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height) << i << ' ' << k;
    }
  }
  for (
      const std::smatch& m : matches(
          svg,
          R"re(</title><rect [^>]*width="(\d+)" height="\d+" rx[^>]*/><text[^>]*>([\x01-\x7F]*?)</text><text[^>]*>([^<]*)<)re")) {
    EXPECT_LE(7.2 * static_cast<double>(m[2].length()), std::stod(m[1])) << m[2];
    EXPECT_LE(7.2 * static_cast<double>(m[3].length()), std::stod(m[1])) << m[3];
  }
}

TEST(Graph, SvgIsTidyForGraphsOfManyForms) {
  expect_tidy(graph_svg(small_graph()));
  std::vector<Variable> many;  // wide
  for (int i = 0; i < 40; ++i) many.push_back(learning({1, 2}, i % 2 ? "a_rather_long_name_for_a_small_thing" : "w"));
  expect_tidy(graph_svg(concat(many, 0)));
  const Variable W = learning({3, 3}, "W");  // one weight used at every depth
  Variable h = frozen(Tensor({2, 3}, real(1)), "x");
  for (int i = 0; i < 20; ++i) h = tanh(linear(h, W) + h);
  expect_tidy(graph_svg(h));
  Variable a = learning({2}, "a"), b = learning({2}, "b"), c = learning({2}, "c");  // everything joined with everything
  for (int i = 0; i < 8; ++i) {
    const Variable next = a * c + b;
    a = b - c;
    b = c * next;
    c = next;
  }
  expect_tidy(graph_svg(a + b + c));
}

TEST(Graph, InputsAreAboveWhatIsMadeOfThem) {
  const std::string svg = graph_svg(small_graph());  // boxes come newest first: tanh, add, linear, x, W
  const std::vector<Box> all = boxes(svg);
  ASSERT_EQ(all.size(), 5u);
  EXPECT_TRUE(all[0].y > all[1].y && all[1].y > all[2].y && all[2].y > all[3].y);
  EXPECT_EQ(all[3].y, all[4].y);  // x and W: both one row above the product
}

TEST(Graph, LongHistoriesAreCutInPicturesNotInText) {
  const Variable x = learning({2}, "x");
  Variable y = x;
  for (int i = 0; i < 100000; ++i) y = scale(y, 1);
  EXPECT_EQ(count(graph_text(y), "\n"), 100001);
  const std::string svg = graph_svg(y), dot = graph_dot(y);
  expect_tidy(svg);
  EXPECT_EQ(count(svg, "class=\"node\""), graph_drawn + 1);
  EXPECT_EQ(count(svg, "... 99,801 more"), 1);
  EXPECT_EQ(count(dot, "... 99,801 more"), 1);
  EXPECT_EQ(count(dot, " -> "), graph_drawn);  // the last one comes from what is not drawn
  EXPECT_EQ(count(dot, "more -> "), 1);
}

}  // namespace
}  // namespace graft
