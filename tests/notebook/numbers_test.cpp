// Every number that a notebook's prose names is held against what was computed: it stands in a check of its section. So changing the
// number, or dropping the check, fails here. What counts as a number, and where, is told in notebooks/README.md.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "tests/notebook/code.h"
#include "tests/notebook/page.h"
#include "tests/notebook/prose.h"

namespace {

using namespace rules;
using namespace notebook;

bool holds(const std::vector<double>& numbers, const Numeral& numeral) {
  for (double there : numbers)
    for (double value : numeral.values)
      if (there == value || std::abs(there - value) <= 1e-12 * std::abs(value)) return true;
  return false;
}

int line_of(const Cell& cell, std::size_t at) {
  return cell.line + static_cast<int>(std::count(cell.text.begin(), cell.text.begin() + static_cast<long>(at), '\n'));
}
/// The section of a place in prose, which a heading may have opened within the cell.
int section_of(const Cell& cell, std::size_t at) {
  int section = cell.section;
  std::size_t begin = 0;
  for (const std::string& line : lines(cell.text)) {
    if (begin > at) break;
    if (line.rfind("## ", 0) == 0) ++section;
    begin += line.size() + 1;
  }
  return section;
}
/// Exercises say what to try, and claim nothing: the number of their section, or -1.
int exercises(const std::vector<Cell>& page) {
  for (const Cell& cell : page) {
    if (cell.code) continue;
    for (const char* title : {"## Exercises", "## 练习"})
      if (const std::size_t at = ("\n" + cell.text).find(std::string("\n") + title); at != std::string::npos)
        return section_of(cell, at);
  }
  return -1;
}

struct Claims {
  std::map<int, std::vector<double>> by_section;
  std::vector<double> all, tokens;  // tokens: whatever number is written in code
};
Claims claims(const std::vector<Cell>& page) {
  Claims out;
  for (const Cell& cell : page) {
    if (!cell.code) continue;
    for (double number : literals(blanked(cell.text))) out.tokens.push_back(number);
    for (const Numeral& numeral : numerals(cell.text)) out.tokens.push_back(numeral.values[0]);  // in strings
    if (cell.raises) continue;
    for (const Check& check : checks(cell.text))
      for (double number : check.claims) out.by_section[cell.section].push_back(number), out.all.push_back(number);
  }
  return out;
}

Complaints numbers_are_checked(const Tree& tree) {
  return each_page(tree, [](const std::string&, const std::vector<Cell>& page, const auto& say) {
    Claims there = claims(page);
    const int free = exercises(page);
    std::vector<std::string> sections;
    for (const Cell& cell : page)
      for (const std::string& number : cell.code ? std::vector<std::string>{} : numbered_sections(cell.text))
        sections.push_back(number);
    for (const Cell& cell : page) {
      if (cell.code) continue;
      const Prose read = prose(cell.text, sections);
      for (const Numeral& numeral : numerals(read.claims)) {
        const int section = section_of(cell, numeral.at);
        if (section == free || holds(section == 0 ? there.all : there.by_section[section], numeral)) continue;
        say(line_of(cell, numeral.at),
            numeral.text + " stands in no check " + (section == 0 ? "of the page" : "of its section"));
      }
      for (std::size_t i = 0; i < read.spans.size(); ++i)
        for (const Numeral& numeral : numerals(read.spans[i]))
          if (section_of(cell, read.at[i]) != free && !holds(there.tokens, numeral))
            say(line_of(cell, read.at[i]), numeral.text + " in `" + read.spans[i] + "` occurs in no cell");
    }
  });
}

Complaints checks_say_something(const Tree& tree) {
  return each_page(tree, [](const std::string&, const std::vector<Cell>& page, const auto& say) {
    for (const Cell& cell : page) {
      if (!cell.code) continue;
      for (const Check& check : checks(cell.text))
        if (check.expected != 0 && std::abs(check.allowed) > std::abs(check.expected))
          say(cell.line + check.line, "the tolerance is larger than what is expected");
    }
  });
}

// --- pages that are wrong, and right ones -----------------------------------------------------------------------------------

Tree page(const std::string& text) { return {{"notebooks/01-a.md", text}}; }
std::string cell(const std::string& code) { return "\n```cpp\n" + code + "\n```\n"; }
const std::string good = "lesson::check(\"loss\", losses.back(), 0.02, 0.01);";

const std::vector<Rule> rules = {
    {"numbers_are_checked",
     numbers_are_checked,
     {page("The loss is 0.03." + cell(good)),
      page("The loss is 0.02." + cell("int i = 0;")),
      page("The loss is 0.02." + cell("// " + good)),
      page("The loss is 0.02." + cell("std::string s = R\"(" + good + ")\";")),
      page("The loss is 0.02.\n<!-- cell raises -->" + cell(good)),
      page("After 200 steps." + cell("lesson::check(\"after 200 steps\", losses[200], 0.02, 0.01);")),
      page("After 200 steps." + cell("lesson::check(\"it has learned\", losses[200] < 0.02);")),
      page("After 200 steps." + cell("double x = 200;")),
      page("## 1. A\nIt is 0.02." + cell("f();") + "## 2. B\n" + cell(good)),
      page("## 1. A\nx" + cell(good) + "\n## 2. B\nIt is 0.02."),
      page("## The loss is 0.03" + cell(good)),
      page("| loss | 0.03 |" + cell(good)),
      page("- 0.03" + cell(good)),
      page("1. It is 3." + cell(good)),
      page("[a 3](../docs/engine.md)" + cell(good)),
      page("147,457 parameters" + cell("lesson::check(\"n\", n, 147456);")),
      page("1.8 % of them" + cell("lesson::check(\"n\", n, 1.7, 0.1);")),
      page("2 × 64" + cell("lesson::check(\"n\", n, 64);")),
      page("10⁻⁵ apart" + cell("lesson::check(\"n\", n, 0, 1e-6);")),
      page("3·10⁻⁶ apart" + cell("lesson::check(\"n\", n, 0, 1e-6);")),
      page("it is −0.5 there" + cell("lesson::check(\"n\", n, 0.5);")),
      page("it is 0.5 there" + cell("lesson::check(\"n\", n, -0.5);")),
      page("有65个" + cell("lesson::check(\"n\", n == 64);")),
      page("有６５个" + cell("lesson::check(\"n\", n == 64);")),
      page("4-bit numbers" + cell(good)),
      page("see section 3" + cell(good) + "## 1. A"),
      page("After 2000 steps, in 2021 and in Step 2021" + cell(good)),
      page("`r = 4`" + cell(good)),
      page("text\n\n    s = 4\n" + cell(good)),
      page("## Exercise\nIt is 3." + cell(good)),
      page("```cpp\nint a;\n")}},
    {"checks_say_something",
     checks_say_something,
     {page(cell("lesson::check(\"loss\", loss, 0.02, 0.05);")), page(cell("check(\"loss\", loss, -0.02, 1);"))}},
};

class NotebookNumbers : public testing::TestWithParam<Rule> {};
TEST_P(NotebookNumbers, KeepTheRule) {
  for (const std::string& complaint : GetParam().complain(real_tree())) ADD_FAILURE() << complaint;
}
TEST_P(NotebookNumbers, RuleSeesABrokenPage) {
  for (const Tree& tree : GetParam().broken)
    EXPECT_FALSE(GetParam().complain(tree).empty()) << "nothing found in " << tree.begin()->second;
}
INSTANTIATE_TEST_SUITE_P(Rules, NotebookNumbers, testing::ValuesIn(rules),
                         [](const auto& info) { return std::string(info.param.name); });

// A page whose numbers are all free by mistake would pass.
TEST(NotebookNumbersOf, RealPagesAreHeld) {
  for (const auto& [path, text] : real_tree()) {
    if (!is_page(path)) continue;
    const std::vector<Cell> page = cells(text);
    const int free = exercises(page);
    std::size_t held = 0;
    for (const Cell& cell : page)
      if (!cell.code && cell.section != free) held += numerals(prose(cell.text, {}).claims).size();
    EXPECT_GE(held, 5u) << path << " names hardly a number";
    EXPECT_NE(free, -1) << path;
  }
}

TEST(NotebookNumbersOf, GoodPagesAreLeftAlone) {
  const std::string n = "lesson::check(\"n\", n, ";
  for (const std::string& text : {
           "The loss is 0.02 ± 0.01." + cell(good),
           "147,456 or 147456, 0.10" + cell("check(\"n\", n == 147'456 && m == 0.1f);"),
           "1.7 %, 1.7%, 124 million, 1.24 亿" + cell(n + "0.017);\n" + n + "124e6);"),
           "2 × 64, (2, 64), 2×64, [2, 64)" + cell("lesson::check(\"shape\", x.shape() == Shape{2, 64});"),
           "10⁻⁶ or 1e-6, 3·10⁻⁶, 2¹⁰" + cell(n + "3e-6, 1e-6);\n" + n + "1024);"),
           "−0.5 and -0.5 (-0.5)" + cell(n + "-0.5);"),
           "64–65, 64-65, 64−65" + cell("lesson::check(\"n\", 64 < n && n < 65);"),
           "有64个，第 1 节" + cell("lesson::check(\"n\", n == 64);") + "## 1. A",
           "W1, GPT-2, NF4, q0, C++17, x², W₀" + cell(good),
           "Hu et al. 2021; Hu et al. (2021); (Hu et al. 2021, section 4.1, table 5); Li and Liang 2021; (Kingma 2014); Hu 等 "
           "2021；"
           "Hu 等人（2021，第 4.1 节）; [Hu et al. 2021](https://arxiv.org/abs/2106.09685) (arXiv:2106.09685)" +
               cell(good),
           "1. one\n2. two\n\n# 3. A\n\n## 4.1 B\nsee sections 3" + cell(good),
           "[notebook 04](04-lora.md#1-a), [a](x.md#9)" + cell(good),
           "`r = 4`, `layers.0.attn`, `W1`\n\n    s = 4\n" + cell("lora.r = 4;\nfind(\"layers.0.attn\");"),
           "## Exercises\n1. Try 3.\n2. And `r = 9`." + cell("f();"),
           "## 1. A\n0.02" + cell(good) + "## 2. B\n0.5" + cell(n + "0.5);"),
       }) {
    EXPECT_EQ(numbers_are_checked(page(text)), Complaints{}) << text;
    EXPECT_EQ(checks_say_something(page(text)), Complaints{}) << text;
  }
}

}  // namespace
