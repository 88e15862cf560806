// How a page of notebooks/ is made up: its head, its length, its exercises; both languages the same code; and the way to the notes and
// back.
#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "tests/notebook/page.h"

namespace {

using namespace rules;
using namespace notebook;

constexpr int fewest_lines = 60, most_lines = 130;

/// A page under another name would keep no rule.
Complaints pages_have_names_of_pages(const Tree& tree) {
  Complaints found;
  for (const auto& [path, text] : tree)
    if (path.rfind("notebooks/", 0) == 0 && path.find('/', 10) == std::string::npos && path.rfind(".md") == path.size() - 3 &&
        path.rfind("notebooks/README", 0) != 0 && !is_page(path))
      found.push_back(path + " is no name of a page, such as 04-lora.md or 04-lora.zh.md");
  return found;
}

int code_lines(const std::vector<Cell>& page) {
  int n = 0;
  for (const Cell& cell : page)
    if (cell.code)
      for (const std::string& line : lines(cell.text)) n += line.find_first_not_of(' ') != std::string::npos;
  return n;
}
Complaints pages_are_of_a_length(const Tree& tree) {
  return each_page(tree, [](const std::string&, const std::vector<Cell>& page, const auto& say) {
    const int n = code_lines(page);
    if (n < fewest_lines || n > most_lines) say(0, std::to_string(n) + " lines of code; 60 to 130 are asked for");
  });
}

Complaints both_languages_have_the_same_code(const Tree& tree) {
  Complaints found = each_page(tree, [&](const std::string& path, const std::vector<Cell>& page, const auto& say) {
    const std::string other = is_chinese(path) ? english_of(path) : chinese_of(path);
    if (tree.count(other) == 0) return say(0, "there is no " + other);
    if (!is_chinese(path)) return;
    const std::vector<Cell> english = code_cells(tree.at(other));
    std::size_t i = 0;
    for (const Cell& cell : page) {
      if (!cell.code) continue;
      if (i == english.size() || cell.text != english[i].text || cell.raises != english[i].raises)
        return say(cell.line, "this cell is not that of " + other + "; notebooks/tools/make.py copies it");
      ++i;
    }
    if (i < english.size()) say(0, "has fewer cells of code than " + other);
  });
  return found;
}

Complaints heads_lead_on(const Tree& tree) {
  static const std::regex docs(R"(\]\(\.\./docs/(?!notes)[^)]+\))"), code(R"(\]\(\.\./[a-z]+/[a-z0-9_]+\.h#\w+)");
  return each_page(tree, [](const std::string& path, const std::vector<Cell>& page, const auto& say) {
    if (page.empty() || page[0].code) return say(1, "begins with code");
    const std::string& head = page[0].text;
    const bool chinese = is_chinese(path);
    const std::string other = fs::path(chinese ? english_of(path) : chinese_of(path)).filename().generic_string();
    if (head.rfind("# ", 0) != 0) say(1, "does not begin with a title");
    if (head.find("](" + other + ")") == std::string::npos) say(1, "does not lead to the other language, " + other);
    if (!std::regex_search(head, docs)) say(1, "its first lines lead to no page in docs/");
    if (!std::regex_search(head, code)) say(1, "its first lines lead to no header and its symbol");
    const std::string notes = chinese ? "\n笔记：" : "\nNotes: ";
    const std::size_t at = head.find(notes);
    if (at == std::string::npos) return say(1, "its first lines do not name the passages of the notes" + notes + "...");
    const std::string rest = head.substr(at + notes.size(), head.find("\n\n", at + 1) - at - notes.size());
    const std::string target = chinese ? "](../docs/notes.zh.md#" : "](../docs/notes.md#", none = chinese ? "无" : "none";
    if (rest.rfind(none, 0) != 0 && rest.find(target) == std::string::npos)
      say(1, "names no passage of the notes, nor \"" + none + "\"");
  });
}

Complaints exercises_are_three(const Tree& tree) {
  static const std::regex item(R"((\d+)\. .*)");
  return each_page(tree, [](const std::string& path, const std::vector<Cell>& page, const auto& say) {
    const std::string title = is_chinese(path) ? "## 练习" : "## Exercises";
    if (page.empty() || page.back().code) return say(0, "does not end with " + title);
    std::string heading, numbers;
    std::smatch m;
    for (const std::string& line : lines(page.back().text)) {
      if (line.rfind("## ", 0) == 0) heading = line, numbers.clear();
      if (std::regex_match(line, m, item)) numbers += m[1].str() + " ";
    }
    if (heading != title) say(page.back().line, "does not end with " + title);
    else if (numbers != "1 2 3 ") say(page.back().line, "three exercises, 1. 2. 3., are asked for");
  });
}

/// Heading of the notes -> notebooks that are linked below it, "" for the language.
using Passages = std::set<std::pair<std::string, std::string>>;
std::string slug(const std::string& heading) {  // as on the web
  static const std::regex punctuation("[!-,./:-@\\[-^`{-~]|，|：|？|（|）|、|。|；|“|”");
  std::string text = std::regex_replace(heading, punctuation, "");
  for (char& c : text) c = c == ' ' ? '-' : 'A' <= c && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}
Passages named_by_notebooks(const Tree& tree, bool chinese) {
  static const std::regex link(R"(\]\(\.\./docs/notes(?:\.zh)?\.md#([^)]+)\))");
  Passages found;
  each_page(tree, [&](const std::string& path, const std::vector<Cell>& page, const auto&) {
    if (is_chinese(path) != chinese || page.empty()) return;
    for (std::sregex_iterator m(page[0].text.begin(), page[0].text.end(), link), end; m != end; ++m)
      found.emplace((*m)[1], path);
  });
  return found;
}
Passages named_by_notes(const Tree& tree, bool chinese) {
  static const std::regex link(R"(\]\(\.\./(notebooks/[^)#]+)(#[^)]*)?\))");
  Passages found;
  const auto notes = tree.find(chinese ? "docs/notes.zh.md" : "docs/notes.md");
  std::string heading;
  if (notes != tree.end())
    for (const std::string& line : lines(notes->second)) {
      if (line.rfind("## ", 0) == 0) heading = slug(line.substr(3));
      for (std::sregex_iterator m(line.begin(), line.end(), link), end; m != end; ++m) found.emplace(heading, (*m)[1]);
    }
  return found;
}
Complaints notes_and_notebooks_name_each_other(const Tree& tree) {
  Complaints found;
  for (bool chinese : {false, true}) {
    const std::string notes = chinese ? "docs/notes.zh.md" : "docs/notes.md";
    const Passages there = named_by_notes(tree, chinese), here = named_by_notebooks(tree, chinese);
    for (const auto& [passage, page] : here)
      if (there.count({passage, page}) == 0)
        found.push_back(page + " names #" + passage + ", under which " + notes + " does not name it");
    for (const auto& [passage, page] : there)
      if (here.count({passage, page}) == 0)
        found.push_back(notes + " names " + page + " under #" + passage + ", which that does not name");
  }
  return found;
}

// --- pages that are wrong, and a right one ---------------------------------------------------------------------------------

std::string repeated(int n) {
  std::string cells;
  for (int i = 0; i < n; ++i) cells += "```cpp\nf(" + std::to_string(i) + ");\ng();\n```\n";
  return cells;
}
std::string english() {
  return "# LoRA\n\n[中文](04-lora.zh.md) · page: [LoRA](../docs/methods/lora.md) · code: "
         "[`Lora`](../peft/lora.h#Lora)\n\nNotes: "
         "[LoRA原理](../docs/notes.md#lora原理), [b](../docs/notes.md#b-c)\n\nText.\n" +
         repeated(30) + "## Exercises\n\n1. a\n2. b\n3. c\n";
}
std::string chinese() {
  return "# LoRA\n\n[English](04-lora.md) · 页面：[LoRA](../docs/methods/lora.zh.md) · "
         "代码：[`Lora`](../peft/lora.h#Lora)\n\n笔记："
         "[LoRA原理](../docs/notes.zh.md#lora原理)，[b](../docs/notes.zh.md#b-c)\n\n字。\n" +
         repeated(30) + "## 练习\n\n1. a\n2. b\n3. c\n";
}
std::string changed(std::string text, const std::string& was, const std::string& is) {
  return text.replace(text.find(was), was.size(), is);
}
Tree house(const std::string& en = english(), const std::string& zh = chinese()) {
  return {{"notebooks/04-lora.md", en},
          {"notebooks/04-lora.zh.md", zh},
          {"notebooks/README.md", "```bash\nls\n```\n"},
          {"docs/notes.md",
           "## LoRA原理\n\nNotebook: [LoRA](../notebooks/04-lora.md)\n## B: c?\n[LoRA](../notebooks/04-lora.md#1-a)\n"},
          {"docs/notes.zh.md",
           "## LoRA原理\n\nNotebook：[LoRA](../notebooks/04-lora.zh.md)\n## B: c?\n[LoRA](../notebooks/04-lora.zh.md)\n"}};
}
Tree en(const std::string& was, const std::string& is) { return house(changed(english(), was, is)); }
Tree zh(const std::string& was, const std::string& is) { return house(english(), changed(chinese(), was, is)); }
Tree with(Tree tree, const std::string& path, const std::string& text) {
  tree[path] = text;
  return tree;
}
Tree without(Tree tree, const std::string& path) {
  tree.erase(path);
  return tree;
}

const std::vector<Rule> rules = {
    {"pages_have_names_of_pages",
     pages_have_names_of_pages,
     {with(house(), "notebooks/05-QLoRA.md", ""), with(house(), "notebooks/5-a.md", ""),
      with(house(), "notebooks/05_a.md", "")}},
    {"pages_are_of_a_length",
     pages_are_of_a_length,
     {en("f(3);\ng();", "f(3);"), en(
                                      "f(3);", "f(3);" +
                                                   [] {
                                                     std::string more;
                                                     for (int i = 0; i < 71; ++i) more += "\nh();";
                                                     return more;
                                                   }())}},
    {"both_languages_have_the_same_code",
     both_languages_have_the_same_code,
     {zh("f(3)", "f(4)"), zh("```cpp\nf(0);\ng();\n```\n", ""), en("```cpp\nf(29);\ng();\n```\n", ""),
      zh("```cpp\nf(3)", "<!-- cell raises -->\n```cpp\nf(3)"), without(house(), "notebooks/04-lora.zh.md"),
      without(house(), "notebooks/04-lora.md"), zh("g();", ""), zh("```\n", "```\n```text\n1\n```\n")}},
    {"heads_lead_on",
     heads_lead_on,
     {en("# LoRA", "LoRA"), en("(04-lora.zh.md)", "(04.zh.md)"), zh("(04-lora.md)", "(04-lora.zh.md)"),
      en("../docs/methods/lora.md", "lora.md"), en("../peft/lora.h#Lora", "../peft/lora.h"), en("Notes: ", "Note: "),
      zh("笔记：", "注："),
      zh("笔记：[LoRA原理](../docs/notes.zh.md#lora原理)，[b](../docs/notes.zh.md#b-c)", "笔记：[b](../docs/notes.md#b-c)"),
      en("# LoRA", "```cpp\na;\n```\n# LoRA")}},
    {"exercises_are_three",
     exercises_are_three,
     {en("3. c\n", ""), en("3. c", "4. c"), en("3. c", "3. c\n4. d"), en("## Exercises", "## Tasks"),
      zh("## 练习", "## Exercises"), en("3. c", "3. c\n## And\n"), en("3. c", "3. c\n```cpp\na;\n```\n")}},
    {"notes_and_notebooks_name_each_other",
     notes_and_notebooks_name_each_other,
     {en("#b-c", "#b"), zh("#b-c", "#b"), with(house(), "docs/notes.md", ""), without(house(), "docs/notes.zh.md"),
      with(house(), "docs/notes.md", "## X\n" + house()["docs/notes.md"] + "## Y\n[a](../notebooks/04-lora.md)")}},
};

class NotebookPages : public testing::TestWithParam<Rule> {};
TEST_P(NotebookPages, KeepTheRule) {
  for (const std::string& complaint : GetParam().complain(real_tree())) ADD_FAILURE() << complaint;
}
TEST_P(NotebookPages, RuleSeesABrokenPage) {
  for (std::size_t i = 0; i < GetParam().broken.size(); ++i)
    EXPECT_FALSE(GetParam().complain(GetParam().broken[i]).empty()) << "nothing found in number " << i;
}
INSTANTIATE_TEST_SUITE_P(Rules, NotebookPages, testing::ValuesIn(rules),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(NotebookPagesOf, AGoodHouseIsLeftAlone) {
  for (const Rule& rule : rules) EXPECT_EQ(rule.complain(house()), Complaints{}) << rule.name;
  Tree none = en("[LoRA原理](../docs/notes.md#lora原理), [b](../docs/notes.md#b-c)", "none");
  EXPECT_EQ(heads_lead_on(none), Complaints{});
}

TEST(NotebookPagesOf, TheTreeIsReallyRead) {
  const Tree tree = real_tree();
  EXPECT_TRUE(tree.count("notebooks/README.md") != 0 && tree.count("docs/notes.md") != 0);
}

}  // namespace
