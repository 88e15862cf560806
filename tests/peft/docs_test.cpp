// The pages of docs/methods hang on the code: an anchor FILE#SYMBOL leads to a file that declares or defines the symbol, links
// lead to files and headings that there are, every header and method of peft/ is reached from a page, and both languages have
// the same anchors and snippets. Each rule is a function from a tree to complaints; it is run on the real tree, which must give
// none, and on small broken ones. (That snippets run, or are excerpts of files, is tests/autograd/docs_test.cpp's.)
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "tests/here.h"
#include "tests/rules.h"

namespace {

using namespace rules;

const std::string methods = "docs/methods/";
bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}
bool is_notes(const std::string& path) { return path == "docs/notes.md" || path == "docs/notes.zh.md"; }
const std::string glossary = "docs/glossary.md";  // in both languages at once
bool is_notebook(const std::string& path) {
  static const std::regex name(R"(notebooks/\d\d-[a-z0-9-]+(\.zh)?\.md)");
  return std::regex_match(path, name);
}
bool is_page(const std::string& path) {
  return (path.rfind(methods, 0) == 0 && ends_with(path, ".md")) || is_notes(path) || is_notebook(path) || path == glossary;
}
bool is_chinese(const std::string& path) { return ends_with(path, ".zh.md"); }

struct Link {
  std::string file, symbol;  // file as seen from the root; "" as symbol: a plain link
};
/// Relative links outside of fences.
std::vector<Link> links(const std::string& page, const std::string& text) {
  static const std::regex link(R"(\]\(([^)#\s]+)(?:#([^)\s]*))?\))");
  std::vector<Link> found;
  bool inside = false;
  for (const std::string& line : lines(text)) {
    if (line.rfind("```", 0) == 0) inside = !inside;
    if (inside) continue;
    for (std::sregex_iterator i(line.begin(), line.end(), link), end; i != end; ++i)
      if ((*i)[1].str().find("://") == std::string::npos)
        found.push_back({(fs::path(page).parent_path() / (*i)[1].str()).lexically_normal().generic_string(), (*i)[2]});
  }
  return found;
}
bool is_source(const std::string& path) { return ends_with(path, ".h") || ends_with(path, ".cpp"); }

/// Is the symbol declared or defined in this text? Its last identifier stands behind struct, class or enum, or behind a type and
/// before ( { ; = or a comma. A qualified one must be written so, or its last part stand below `struct` of the part before.
bool declares(const std::string& text, const std::string& symbol) {
  static const std::regex well_formed(R"(\w+(::\w+)*)"), comment(R"(//.*)");
  if (!std::regex_match(symbol, well_formed)) return false;
  const std::size_t colons = symbol.rfind("::");
  const std::string last = colons == std::string::npos ? symbol : symbol.substr(colons + 2);
  const std::string scope = colons == std::string::npos ? "" : symbol.substr(0, colons);
  const std::string owner = scope.substr(scope.rfind(':') == std::string::npos ? 0 : scope.rfind(':') + 1);
  const std::regex type("^\\s*(template <[^>]*> )?(struct|class|enum|enum class|using) " + last + "\\b");
  const std::regex type_of_owner("^\\s*(struct|class|enum|enum class) " + owner + "\\b");
  const std::regex value("^\\s*(?!\\s|return\\b|throw\\b|else\\b)[\\w:<>,*& ]*[\\w>*&] [*&]?" + last +
                         "\\s*(\\[\\])?([({;=,]|$)");
  const std::regex qualified("^(?!\\s)(?!return\\b)[\\w:<>,*& ]*\\b" + scope + "::" + last + "\\s*\\(");
  bool below_owner = scope.empty();
  for (const std::string& line : lines(text)) {
    const std::string code = std::regex_replace(line, comment, "");
    if (!scope.empty() && std::regex_search(code, qualified)) return true;
    if (below_owner && (std::regex_search(code, type) || std::regex_search(code, value))) return true;
    if (!scope.empty() && std::regex_search(code, type_of_owner)) below_owner = true;
  }
  return false;
}

// --- the rules ---------------------------------------------------------------------------------------------------------

/// What a web page calls a heading: small letters, hyphens for spaces, no punctuation.
std::string slug(const std::string& heading) {
  static const std::regex punctuation("[!-,./:-@\\[-^`{-~]|，|：|？|（|）|、|。|；|“|”");
  std::string text = std::regex_replace(heading, punctuation, "");
  for (char& c : text) c = c == ' ' ? '-' : 'A' <= c && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}
bool has_heading(const std::string& text, const std::string& wanted) {
  static const std::regex heading("#+ (.*)");
  bool inside = false;
  std::smatch m;
  for (const std::string& line : lines(text)) {
    if (line.rfind("```", 0) == 0) inside = !inside;
    if (!inside && std::regex_match(line, m, heading) && slug(m[1]) == wanted) return true;
  }
  return false;
}

Complaints links_lead_somewhere(const Tree& tree) {
  Complaints found;
  for (const auto& [page, text] : tree) {
    if (!is_page(page)) continue;
    for (const Link& link : links(page, text)) {
      if (tree.count(link.file) == 0) found.push_back(page + " links to " + link.file + ", which is not there");
      else if (!is_source(link.file) && !link.symbol.empty() && !has_heading(tree.at(link.file), link.symbol))
        found.push_back(page + ": " + link.file + " has no heading that is called #" + link.symbol);
    }
  }
  return found;
}

Complaints anchors_resolve(const Tree& tree) {
  Complaints found;
  for (const auto& [page, text] : tree) {
    if (!is_page(page)) continue;
    for (const Link& link : links(page, text)) {
      if (!is_source(link.file) || tree.count(link.file) == 0) continue;
      if (link.symbol.empty()) found.push_back(page + " links to " + link.file + ": say to which symbol");
      else if (!declares(tree.at(link.file), link.symbol))
        found.push_back(page + ": " + link.file + " does not declare " + link.symbol);
    }
  }
  return found;
}

/// The struct of each method, and each header that opens with a contract of its own, is linked from an English page.
Complaints every_method_is_reached(const Tree& tree) {
  static const std::regex method(R"((?:^|\n)struct (\w+) : (?:Method|PrefixTuning)\b)");
  std::set<std::string> anchors, files;
  for (const auto& [page, text] : tree)
    if (is_page(page) && !is_chinese(page))
      for (const Link& link : links(page, text)) anchors.insert(link.file + "#" + link.symbol), files.insert(link.file);
  Complaints found;
  for (const auto& [path, text] : tree) {
    if (path.rfind("peft/", 0) != 0 || !ends_with(path, ".h") || path.find('/', 5) != std::string::npos) continue;
    if (files.count(path) == 0) found.push_back("no page links to " + path);
    for (std::sregex_iterator i(text.begin(), text.end(), method), end; i != end; ++i)
      if (anchors.count(path + "#" + (*i)[1].str()) == 0) found.push_back("no page links to " + path + "#" + (*i)[1].str());
  }
  return found;
}

const std::vector<std::string>& note_headings() {
  static const std::vector<std::string> all{
      "LoRA原理",           "LoRA推理过程中有额外计算吗?", "Lora初始化方式", "LoRA应用于网络的哪些部分?",
      "LoRA的r一般选取多少?", "QLoRA",                      "Adapter tuning原理", "与LoRA的区别",
      "Prefix tuning原理",  "Prompt tuning原理",           "P-tuning V1原理", "P-tuning V2原理",
      "P-tuning V1/V2的区别"};
  return all;
}
/// The map from the study notes has all their headings once, in their order, and each row leads to a heading of a page and to code.
Complaints notes_are_mapped(const Tree& tree) {
  static const std::regex row(R"(\| [^|]+ \| [^|]+ \| \[[^\]]+\]\([^)#]+\.md#[^)]+\) \| \[`[^`]+`\]\([^)#]+#[^)]+\) \|)");
  Complaints found;
  for (const auto& [page, text] : tree) {
    if (!is_notes(page)) continue;
    std::vector<std::string> there;
    int rows = 0;
    for (const std::string& line : lines(text)) {
      if (line.rfind("## ", 0) == 0) {
        if (!there.empty() && rows == 0) found.push_back(page + ": nothing is said of " + there.back());
        there.push_back(line.substr(3)), rows = 0;
      } else if (line.rfind("| ", 0) == 0 && line.rfind("| ---", 0) != 0 && line.find("](") != std::string::npos) {
        ++rows;
        if (!std::regex_match(line, row)) found.push_back(page + ": this row does not lead to a heading and to code: " + line);
      }
    }
    if (rows == 0) found.push_back(page + ": nothing is said of " + (there.empty() ? "anything" : there.back()));
    if (there != note_headings()) found.push_back(page + " has not the headings of the notes, each once and in their order");
  }
  return found;
}

/// Fences of C++ and of the shell, with the line before each.
Complaints snippets(const std::string& text) {
  Complaints found;
  std::string before;
  bool inside = false, takes = false;
  for (const std::string& line : lines(text)) {
    if (line.rfind("```", 0) == 0) {
      inside = !inside;
      if (inside) takes = line == "```cpp" || line == "```bash";
      if (inside && takes) found.push_back(before + "\n" + line + "\n");
    } else if (inside && takes) {
      found.back() += line + "\n";
    }
    before = line;
  }
  return found;
}

Complaints both_languages_say_the_same(const Tree& tree) {
  const auto anchors = [&](const std::string& page) {
    std::multiset<std::string> all;
    for (const Link& link : links(page, tree.at(page)))
      if (is_source(link.file)) all.insert(link.file + "#" + link.symbol);
    return all;
  };
  Complaints found;
  for (const auto& [page, text] : tree) {
    if (!is_page(page) || page == glossary) continue;
    if (is_chinese(page)) {
      if (tree.count(page.substr(0, page.size() - 6) + ".md") == 0) found.push_back(page + " has no English page");
      continue;
    }
    const std::string chinese = page.substr(0, page.size() - 3) + ".zh.md";
    if (tree.count(chinese) == 0) {
      found.push_back(page + " has no Chinese page");
      continue;
    }
    const std::multiset<std::string> here = anchors(page), there = anchors(chinese);
    for (const std::string& anchor : here)
      if (here.count(anchor) != there.count(anchor)) found.push_back(chinese + " has not " + anchor + " as often as " + page);
    for (const std::string& anchor : there)
      if (here.count(anchor) == 0) found.push_back(page + " has no " + anchor + ", " + chinese + " has");
    if (snippets(text) != snippets(tree.at(chinese))) found.push_back(chinese + " has other snippets than " + page);
  }
  return found;
}

// --- the trees ---------------------------------------------------------------------------------------------------------

Tree house() {
  const fs::path root = here::root();
  Tree tree;
  for (const char* folder : {"docs", "notebooks", "peft", "autograd", "nn", "train", "tune", "tokenizer", "formats", "show", "lesson", "tests",
                             "bench"})
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const std::string path = fs::relative(entry.path(), root).generic_string();
      if (!entry.is_regular_file() || (!is_source(path) && !ends_with(path, ".md") && !ends_with(path, ".svg"))) continue;
      tree[path] = read(entry.path());
    }
  return tree;
}

const char* const lora =
    "// LoRA.\nstruct Lora : Method {\n  Index r = 8;  ///< not alpha\n  void graft();\n};\nIndex used(Lora);\n";
const char* const lora_cpp = "Variable LoraLinear::operator()(const Variable& x) {\n  return merge(x);\n}\n";
Tree page(const std::string& text) { return {{"docs/methods/a.md", text}, {"peft/lora.h", lora}, {"peft/lora.cpp", lora_cpp}}; }

/// A map from the notes that is right, but for what is replaced once.
std::string notes(const std::map<std::string, std::string>& changed) {
  std::string text;
  for (const std::string& heading : note_headings())
    text += "## " + heading + "\n| it is so | yes | [lora](methods/a.md#start) | [`Lora`](../peft/lora.h#Lora) |\n";
  for (const auto& [was, is] : changed) text.replace(text.find(was), was.size(), is);
  return text;
}

const std::vector<Rule> rules = {
    {"links_lead_somewhere",
     links_lead_somewhere,
     {page("[a](b.md)"), page("[a](../../peft/gone.h#Lora)"), page("[a](../peft/lora.h#Lora)"),
      page("# A page\n[a](a.md#a-pge)"), page("```text\n# Part\n```\n[a](a.md#part)"), {{"notebooks/01-a.zh.md", "[a](01-a.md)"}}}},
    {"anchors_resolve",
     anchors_resolve,
     {page("[a](../../peft/lora.h#Lor)"), page("[a](../../peft/lora.h)"), page("[a](../../peft/lora.h#alpha)"),
      page("[a](../../peft/lora.h#Lora::alpha)"), page("[a](../../peft/lora.h#Method)"), page("[a](../../peft/lora.cpp#merge)"),
      page("[a](../../peft/lora.h#Dora::r)"), page("[a](../../peft/lora.cpp#Lora::operator)"),
      page("[a](../../peft/lora.h#)")}},
    {"every_method_is_reached",
     every_method_is_reached,
     {page("nothing"),
      page("[a](../../peft/lora.h#used)"),
      {{"docs/methods/a.zh.md", "[a](../../peft/lora.h#Lora)"}, {"peft/lora.h", lora}},
      {{"peft/files.h", "// Files.\nvoid load();\n"}}}},
    {"notes_are_mapped",
     notes_are_mapped,
     {{{"docs/notes.md", ""}},
      {{"docs/notes.md", notes({{"LoRA原理", "## QLoRA\n"}})}},   // a heading twice, and another not at all
      {{"docs/notes.md", notes({{"## QLoRA\n", ""}})}},
      {{"docs/notes.md", notes({{"#start", ""}})}},               // a row without a heading of a page
      {{"docs/notes.md", notes({{"#Lora)", ")"}})}}}},            // without a symbol
    {"both_languages_say_the_same",
     both_languages_say_the_same,
     {page("alone"),
      {{"docs/methods/a.zh.md", ""}},
      {{"docs/methods/a.md", "[a](../../peft/lora.h#r)"}, {"docs/methods/a.zh.md", "[a](../../peft/lora.h#Lora)"}},
      {{"docs/methods/a.md", ""}, {"docs/methods/a.zh.md", "[a](../../peft/lora.h#Lora)"}},
      {{"docs/methods/a.md", "```cpp\nint a;\n```\n"}, {"docs/methods/a.zh.md", "```cpp\nint b;\n```\n"}},
      {{"docs/methods/a.md", "<!-- run -->\n```cpp\nint a;\n```\n"}, {"docs/methods/a.zh.md", "```cpp\nint a;\n```\n"}}}},
};

class MethodPages : public testing::TestWithParam<Rule> {};

TEST_P(MethodPages, KeepTheRule) {
  for (const std::string& complaint : GetParam().complain(house())) ADD_FAILURE() << complaint;
}

TEST_P(MethodPages, RuleSeesBrokenPages) {
  for (const Tree& tree : GetParam().broken)
    EXPECT_FALSE(GetParam().complain(tree).empty()) << "nothing found in " << tree.begin()->second;
}

/// What the rules must let pass.
TEST_P(MethodPages, GoodPagesAreLeftAlone) {
  const std::string text =
      "[`Lora`](../../peft/lora.h#Lora) [r](../../peft/lora.h#Lora::r) [g](../../peft/lora.h#graft) "
      "[u](../../peft/lora.h#used)\n"
      "[o](../../peft/lora.cpp#LoraLinear::operator) [web](https://example.org/a.h#b) [self](a.md#a-part-why-已知)\n"
      "## A part: why? （已知）\n"
      "```text\n[no](link.h#here)\n```\n<!-- run -->\n```cpp\nint a;\n```\n";
  Tree good = page(text);
  good["docs/methods/a.zh.md"] = "译文\n" + text;
  EXPECT_EQ(GetParam().complain(good), Complaints{});
}

INSTANTIATE_TEST_SUITE_P(Rules, MethodPages, testing::ValuesIn(rules),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(MethodPagesTree, IsReallyRead) {
  const Tree tree = house();
  std::size_t pages = 0, anchors = 0;
  for (const auto& [path, text] : tree) {
    if (!is_page(path)) continue;
    ++pages;
    for (const Link& link : links(path, text)) anchors += is_source(link.file);
  }
  EXPECT_GE(pages, 20u);
  EXPECT_GE(anchors, 150u);
  EXPECT_TRUE(declares(tree.at("peft/method.h"), "attach"));
  EXPECT_TRUE(declares(tree.at("peft/method.h"), "BaseModel::score"));
  EXPECT_FALSE(declares(tree.at("peft/method.h"), "lora"));
}

}  // namespace
