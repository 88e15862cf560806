// Cells that the repository's kernel takes and xeus-cling does not, or takes otherwise: both are Cling, with another driver. And what
// no page can show well: cells that are long or wide. The list is that of notebooks/README.md, section Cells.
#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "tests/notebook/code.h"
#include "tests/notebook/page.h"

namespace {

using namespace rules;
using namespace notebook;

constexpr int most_lines = 16, most_columns = 95;

std::size_t columns(const std::string& line) {  // characters of UTF-8
  std::size_t n = 0;
  for (char c : line) n += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return n;
}

/// One complaint for each cell of code in which wrong(cell, say) finds something; say(line in the cell, what).
template <class F>
Complaints each_cell(const Tree& tree, const F& wrong) {
  return each_page(tree, [&](const std::string&, const std::vector<Cell>& page, const auto& say) {
    for (const Cell& cell : page)
      if (cell.code) wrong(cell, [&](int line, const std::string& what) { say(cell.line + line, what); });
  });
}

Complaints cells_are_short_and_narrow(const Tree& tree) {
  return each_cell(tree, [](const Cell& cell, const auto& say) {
    const std::vector<std::string> all = lines(cell.text);
    if (all.empty()) say(0, "an empty cell; notebooks/tools/make.py fills those of the Chinese page");
    if (all.size() > most_lines) say(0, "a cell of " + std::to_string(all.size()) + " lines; 16 are the most");
    for (std::size_t i = 0; i < all.size(); ++i)
      if (columns(all[i]) > most_columns)
        say(static_cast<int>(i), std::to_string(columns(all[i])) + " columns; 95 are the most");
  });
}

Complaints functions_stand_alone(const Tree& tree) {
  static const std::regex include(R"(#\s*include\b)");
  return each_cell(tree, [](const Cell& cell, const auto& say) {
    const std::vector<Piece> all = pieces(cell.text);
    const auto alone = [&](const Piece& piece) {
      for (const Piece& other : all) {
        const bool included =
            other.kind == Kind::directive && std::regex_search(other.text, include) && other.line < piece.line;
        if (&other != &piece && !included && !(piece.kind == Kind::template_ && other.kind == Kind::template_)) return false;
      }
      return true;
    };
    for (const Piece& piece : all)
      if ((piece.kind == Kind::function || piece.kind == Kind::template_) && !alone(piece))
        say(piece.line, std::string(piece.kind == Kind::function ? "a function" : "a template") + " needs a cell of its own");
  });
}

Complaints functions_have_plain_heads(const Tree& tree) {
  static const std::regex nested(R"(^[^(]*<[^(]*<[^(]*\()"), trailing(R"(^auto\b[^{]*->)"), noexcept_(R"(\)[^{]*\bnoexcept\b)");
  static const std::regex operator_(R"(\boperator\b)"), member(R"(^[^(]*\w\s*::\s*~?\w+\s*\()");
  return each_cell(tree, [](const Cell& cell, const auto& say) {
    for (const Piece& piece : pieces(cell.text)) {
      if (piece.kind != Kind::function) continue;
      const std::string head = piece.text.substr(0, piece.text.find('{'));
      if (std::regex_search(head, operator_)) say(piece.line, "an operator outside of a class is refused");
      else if (std::regex_search(head, nested))
        say(piece.line, "a return type with templates in templates is refused; give it a name");
      else if (std::regex_search(head, trailing)) say(piece.line, "auto f() -> T is refused; write T f()");
      else if (std::regex_search(head, noexcept_)) say(piece.line, "noexcept is refused");
      if (std::regex_search(head, member)) say(piece.line, "a member defined outside of its class is refused");
    }
  });
}

Complaints variables_are_ordinary(const Tree& tree) {
  static const std::regex inline_(R"(^(static |constexpr )*inline\b)");
  return each_cell(tree, [](const Cell& cell, const auto& say) {
    for (const Piece& piece : pieces(cell.text)) {
      if (piece.kind == Kind::binding) say(piece.line, "auto [a, b] outside of braces: later cells do not know a and b");
      if (piece.kind == Kind::variable && std::regex_search(piece.text, inline_))
        say(piece.line, "an inline variable is refused");
    }
  });
}

/// ROOT's Cling declares what nobody declared.
Complaints names_are_declared(const Tree& tree) {
  static const std::regex assigned(R"(^([A-Za-z_]\w*)\s*[-+*/|&^%]?=[^=])");
  return each_page(tree, [](const std::string&, const std::vector<Cell>& page, const auto& say) {
    std::set<std::string> known;
    for (const Cell& cell : page) {
      if (!cell.code) continue;
      for (const Piece& piece : pieces(cell.text)) {
        std::smatch m;
        if (piece.kind == Kind::statement || piece.kind == Kind::expression)
          if (std::regex_search(piece.text, m, assigned) && known.count(m[1]) == 0)
            say(cell.line + piece.line, m[1].str() + " was not declared");
        known.insert(piece.names.begin(), piece.names.end());
      }
    }
  });
}

Complaints nothing_of_other_kernels(const Tree& tree) {
  static const std::vector<std::pair<std::regex, std::string>> words{
      {std::regex(R"(^\s*[%!?])"), "a magic, which only some kernels know"},
      {std::regex(R"(#\s*pragma\s+omp)"), "#pragma omp does nothing, or does not link"},
      {std::regex(R"(#\s*pragma\s+cling|^\s*\.\w)"), "a command to Cling; the kernel loads what is needed"},
      {std::regex(R"(\bstd::async\b)"), "std::async does not link in Cling"},
      {std::regex(R"(#\s*include\s*<(bit|compare|concepts|coroutine|format|numbers|ranges|source_location|span|version)>)"),
       "not C++17"},
      {std::regex(R"(\b(concept|requires|consteval|constinit|co_await|co_yield|co_return)\b|<=>|\busing enum\b)"), "not C++17"},
      {std::regex(R"(\.(starts_with|ends_with)\(|\bstd::(span|format|ranges|numbers|ssize)\b)"), "not C++17"},
  };
  return each_cell(tree, [](const Cell& cell, const auto& say) {
    const std::vector<std::string> bare = lines(blanked(cell.text));
    for (std::size_t i = 0; i < bare.size(); ++i)
      for (const auto& [word, why] : words)
        if (std::regex_search(bare[i], word)) say(static_cast<int>(i), why);
    for (const Piece& piece : pieces(cell.text))
      if (piece.kind == Kind::function &&
          std::regex_search(piece.text.substr(0, piece.text.find('{')), std::regex(R"(\(.*\bauto\b)")))
        say(piece.line, "f(auto) is not C++17");
  });
}

// --- cells that are wrong, and right ones ----------------------------------------------------------------------------------

Tree cell(const std::string& code) { return {{"notebooks/01-a.md", "# A\n```cpp\n" + code + "\n```\n"}}; }
std::vector<Tree> each(const std::vector<std::string>& codes) {
  std::vector<Tree> trees;
  for (const std::string& code : codes) trees.push_back(cell(code));
  return trees;
}

const std::vector<Rule> rules = {
    {"cells_are_short_and_narrow", cells_are_short_and_narrow,
     each({std::string(96, 'x'), "", "a;\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\nb;"})},
    {"functions_stand_alone", functions_stand_alone,
     each({"int f() { return 1; }\nint g() { return 2; }", "int a = 1;\nint f() { return a; }",
           "a.b(3);\nint f() { return 1; }", "struct P { int x; };\nint f(const P& p) { return p.x; }",
           "using F = float;\nF f(F x) { return x; }", "using namespace std;\nint f(int x) { return x; }",
           "int f(int x = 3) { return x; }\nf(2)", "int f() {\n  return 1;\n}\nint a;",
           "template <class T> T f(T x) { return x; }\nf(3)",
           "int f(std::vector<int> x = {1, 2})\n{\n  return 1;\n}\nint a = f();", "#define X 1\nint f() { return X; }",
           "int a;\n#include <map>\nint f() { return 1; }"})},
    {"functions_have_plain_heads", functions_have_plain_heads,
     each({"auto f() -> double { return 3.5; }", "int f(int x) noexcept { return x; }",
           "std::pair<std::vector<int>, std::map<int, float>> f() { return {}; }",
           "std::ostream& operator<<(std::ostream& o, const Q& q) { return o << q.v; }",
           "bool operator==(Q a, Q b) { return a.v == b.v; }", "int R::f() { return 1; }"})},
    {"variables_are_ordinary", variables_are_ordinary,
     each({"auto [a, b] = std::make_pair(1, 2);", "const auto& [a, b] = p;", "inline constexpr double pi = 3.14;",
           "f();\nauto [a, b] = g();"})},
    {"names_are_declared", names_are_declared, each({"x = 3;", "int y = 1;\nx = y;", "if (a) { int x; }\nx += 3;", "x = 4"})},
    {"nothing_of_other_kernels", nothing_of_other_kernels,
     each({"%%timeit\nf();", "!ls", "?std::vector", "#pragma omp parallel for\nfor (;;) {}", "auto f = std::async(g);",
           ".L lib.so", "#pragma cling load(\"libx\")", "#include <span>", "if (s.starts_with(\"a\")) f();",
           "template <class T> requires X<T> void f();", "int f(auto x) { return x; }"})},
};

class NotebookCells : public testing::TestWithParam<Rule> {};
TEST_P(NotebookCells, KeepTheRule) {
  for (const std::string& complaint : GetParam().complain(real_tree())) ADD_FAILURE() << complaint;
}
TEST_P(NotebookCells, RuleSeesABrokenCell) {
  for (const Tree& tree : GetParam().broken)
    EXPECT_FALSE(GetParam().complain(tree).empty()) << "nothing found in " << tree.begin()->second;
}
INSTANTIATE_TEST_SUITE_P(Rules, NotebookCells, testing::ValuesIn(rules),
                         [](const auto& info) { return std::string(info.param.name); });

// What was tried in Cling and is taken.
TEST(NotebookCellsOf, GoodNotebooksAreLeftAlone) {
  const std::vector<std::string> good{
      "#include <vector>\n// text; int a;\nstd::vector<int> f(int n) { return std::vector<int>(n); }",
      "namespace x { int f() { return 1; }\nint g() { return 2; } }",
      "namespace {\nint f() { return 1; }\nint g() { return 2; }\n}",
      "struct A { int v; };\nstruct B { int v; };\nB b{4};",
      "struct D : Base { int f() override { return 3; } };\nD d;\nd.f()",
      "template <class T> T f(T x) { return x; }\ntemplate <class T> T g(T x) { return x; }",
      "auto f = [](int x) { return x * 2; };\nauto g = [&](auto x) -> int { return f(x); };\ng(2)",
      "if (int k = 3; k > 2) {\n  std::cout << k;\n} else {\n  f();\n}\nfor (int i = 0; i < 3; ++i) f(i);",
      "for (const auto& [k, v] : m) std::cout << k << v;\n{ auto [u, v] = p; std::cout << u + v; }",
      "std::map<std::string, std::vector<int>> m{{\"a\", {1}}}, n;\nm[\"a\"] = {2};\nn = m;",
      "Tensor a({2, 3}, 1), b(a);\na = b;\na.x = 3;\na == b",
      "int f(const std::vector<int>& x,\n      int y = 3) {\n  if (y) { return 1; }\n  return x.empty() ? 1 : 2;\n}",
      "do { f(); } while (g());\ntry {\n  f();\n} catch (const std::exception& e) {\n  std::cout << \"%; int f() {} \" << "
      "e.what();\n}",
      "std::string s = R\"(\n%x\nint f() {})\";\nchar c = '\"', d = '\\'';\nint n = 1'000;",
      "graft::Variable cube(const graft::Variable& x) {\n  return record(\"cube\", y, Edge{x, [X = x.value()](const Tensor& "
      "dy) { return dy; }});\n}",
      "show::table({\"a\", \"b\"}, {{\"1\", \"2\"}})",
      "#define SQ(x) \\\n  ((x) * (x))\nint a = SQ(3);\nenum class E { a, b };\nusing F = float;\nF q = 1;\nq = 2;"};
  for (const std::string& code : good)
    for (const Rule& rule : rules) EXPECT_EQ(rule.complain(cell(code)), Complaints{}) << rule.name << "\n" << code;
}

}  // namespace
