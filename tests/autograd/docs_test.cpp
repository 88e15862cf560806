// The pages in docs/ and the READMEs keep their word: every C++ snippet is run or is an excerpt of a file, both languages
// show the same snippets, and links lead somewhere. Each rule is also run on small broken pages, which it must catch.
// What more docs/methods promises is in tests/peft/docs_test.cpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "tests/here.h"

namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

struct Fence {
  std::string language, marker;  // ```cpp, and the line before it
  Lines lines;
  int line;  // of the first line inside, counted from 1
};

Lines lines_of(const std::string& text) {
  Lines lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::vector<Fence> fences(const std::string& page) {
  std::vector<Fence> found;
  std::string before;
  bool inside = false;
  int number = 0;
  for (const std::string& line : lines_of(page)) {
    ++number;
    if (line.rfind("```", 0) == 0) {
      if (!inside) found.push_back({line.substr(3), before, {}, number + 1});
      inside = !inside;
    } else if (inside) {
      found.back().lines.push_back(line);
    }
    before = line;
  }
  return found;
}

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path << " cannot be read";
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// Lines without indentation, empty ones left out, several spaces as one: what a formatter may change.
std::string bare(const Lines& lines) {
  static const std::regex spaces("[ \\t]+");
  std::string text;
  for (const std::string& line : lines) {
    const std::size_t first = line.find_first_not_of(" \t");
    if (first != std::string::npos) text += std::regex_replace(line.substr(first), spaces, " ") + "\n";
  }
  return text;
}

bool occurs(const Lines& excerpt, const std::string& file) {
  const std::string wanted = bare(excerpt);
  return !wanted.empty() && ("\n" + bare(lines_of(file))).find("\n" + wanted) != std::string::npos;  // whole lines
}

bool runs(const Fence& fence) { return fence.language == "cpp" && fence.marker == "<!-- run -->"; }

/// One complaint for each snippet that is neither run nor an excerpt of what open(path) gives.
Lines complaints(const std::string& page, const std::function<std::string(const std::string&)>& open) {
  static const std::regex from("<!-- from ([^ ]+) -->");
  Lines found;
  bool after_run = false;
  for (const Fence& fence : fences(page)) {
    const std::string where = "line " + std::to_string(fence.line) + ": ";
    std::smatch match;
    if (fence.marker == "<!-- printed -->") {
      if (fence.language != "text" || !after_run) found.push_back(where + "printed by which snippet?");
    } else if (fence.language == "cpp" && std::regex_match(fence.marker, match, from)) {
      if (!occurs(fence.lines, open(match[1]))) found.push_back(where + "not in " + match[1].str());
    } else if (fence.language == "cpp" && !runs(fence)) {
      found.push_back(where + "say before it: <!-- run --> or <!-- from FILE -->");
    } else if (fence.marker.rfind("<!-- ", 0) == 0 && fence.language != "cpp") {
      found.push_back(where + "what does " + fence.marker + " mean for " + fence.language + "?");
    }
    after_run = runs(fence);
  }
  return found;
}

/// The snippets in their order, each with its kind.
Lines snippets(const std::string& page) {
  Lines all;
  for (const Fence& fence : fences(page)) {
    std::string text = fence.language + " " + fence.marker + "\n";
    if (fence.marker.rfind("<!-- ", 0) != 0) continue;
    for (const std::string& line : fence.lines) text += line + "\n";
    all.push_back(text);
  }
  return all;
}

/// Relative links that lead to no file.
Lines dead_links(const std::string& page, const fs::path& folder) {
  static const std::regex link(R"(\]\(([^)#]+)(#[^)]*)?\))");
  Lines dead;
  bool inside = false;
  for (const std::string& line : lines_of(page)) {
    if (line.rfind("```", 0) == 0) inside = !inside;
    if (inside) continue;
    for (std::sregex_iterator i(line.begin(), line.end(), link), end; i != end; ++i) {
      const std::string to = (*i)[1];
      if (to.find("://") == std::string::npos && !fs::exists(folder / to)) dead.push_back(to);
    }
  }
  return dead;
}

const fs::path root = here::root();

std::vector<fs::path> pages() {
  std::vector<fs::path> found;
  for (const fs::path& folder : {root, root / "docs", root / "docs" / "methods"})
    for (const auto& entry : fs::directory_iterator(folder)) {
      const std::string name = entry.path().filename().string();
      if (entry.path().extension() == ".md" && (folder != root || name.rfind("README", 0) == 0)) found.push_back(entry.path());
    }
  return found;
}

TEST(Docs, EverySnippetIsRunOrAnExcerpt) {
  std::size_t checked = 0;
  for (const fs::path& page : pages()) {
    const std::string text = read(page);
    const Lines wrong = complaints(text, [](const std::string& path) { return read(root / path); });
    for (const std::string& complaint : wrong) ADD_FAILURE() << page.filename() << " " << complaint;
    checked += snippets(text).size();
  }
  EXPECT_GE(checked, 20u) << "the pages were not found, or not understood";
}

// The generator and this file read the pages each in its own way; they must find the same snippets.
TEST(Docs, EveryRunSnippetIsATest) {
  std::vector<std::string> expected, present;
  for (const fs::path& page : pages()) {
    const std::string name = std::regex_replace(fs::relative(page, root).generic_string(), std::regex("[^A-Za-z0-9]"), "_");
    for (const Fence& fence : fences(read(page)))
      if (runs(fence)) expected.push_back(name + "_" + std::to_string(fence.line));
  }
  const testing::UnitTest& all = *testing::UnitTest::GetInstance();
  for (int i = 0; i < all.total_test_suite_count(); ++i) {
    const testing::TestSuite& suite = *all.GetTestSuite(i);
    if (std::string(suite.name()) != "Pages") continue;
    for (int j = 0; j < suite.total_test_count(); ++j) present.emplace_back(suite.GetTestInfo(j)->name());
  }
  std::sort(expected.begin(), expected.end());
  std::sort(present.begin(), present.end());
  EXPECT_EQ(present, expected);
  EXPECT_FALSE(expected.empty());
}

TEST(Docs, BothLanguagesShowTheSameSnippets) {
  std::size_t pairs = 0;
  for (const fs::path& page : pages()) {
    const std::string name = page.filename().string();
    const std::size_t zh = name.find(".zh.md");
    if (zh == std::string::npos) continue;
    const fs::path english = page.parent_path() / (name.substr(0, zh) + ".md");
    EXPECT_EQ(snippets(read(page)), snippets(read(english))) << name;
    ++pairs;
  }
  EXPECT_GE(pairs, 2u);
}

TEST(Docs, LinksLeadSomewhere) {
  for (const fs::path& page : pages())
    for (const std::string& link : dead_links(read(page), page.parent_path()))
      ADD_FAILURE() << page.filename() << " links to " << link;
}

// --- the rules themselves ------------------------------------------------------------------------------------------------

const char* const file = "int f() {\n  return 1;\n\n  // done\n}\n";
Lines of(const std::string& page) {
  return complaints(page, [](const std::string& path) { return path == "f.cpp" ? std::string(file) : std::string(); });
}

TEST(DocsRules, GoodPagesPass) {
  EXPECT_TRUE(of("<!-- run -->\n```cpp\nint a;\n```\n\n<!-- printed -->\n```text\n1\n```\n```bash\nls\n```\n").empty());
  EXPECT_TRUE(of("<!-- from f.cpp -->\n```cpp\nreturn 1;\n// done\n```\n").empty());  // indentation and empty lines are free
}

TEST(DocsRules, BrokenPagesAreCaught) {
  EXPECT_EQ(of("text\n```cpp\nint a;\n```\n").size(), 1u) << "unmarked";
  EXPECT_EQ(of("<!-- sketch -->\n```cpp\nint a;\n```\n").size(), 1u) << "unknown kind";
  EXPECT_EQ(of("<!-- run -->\n\n```cpp\nint a;\n```\n").size(), 1u) << "a line between";
  EXPECT_EQ(of("<!-- from f.cpp -->\n```cpp\nreturn 2;\n```\n").size(), 1u) << "not in the file";
  EXPECT_EQ(of("<!-- from f.cpp -->\n```cpp\nreturn\n```\n").size(), 1u) << "half a line";
  EXPECT_EQ(of("<!-- from f.cpp -->\n```cpp\nint f() {\n}\n```\n").size(), 1u) << "something left out";
  EXPECT_EQ(of("<!-- from f.cpp -->\n```cpp\n```\n").size(), 1u) << "nothing";
  EXPECT_EQ(of("<!-- from g.cpp -->\n```cpp\nreturn 1;\n```\n").size(), 1u) << "another file";
  EXPECT_EQ(of("<!-- printed -->\n```text\n1\n```\n").size(), 1u) << "printed by nothing";
  EXPECT_EQ(of("<!-- run -->\n```text\n1\n```\n").size(), 1u) << "not C++";
}

TEST(DocsRules, DeadLinksAreCaught) {
  EXPECT_EQ(dead_links("[a](autograd/variable.h) [b](nowhere.md#x) [c](https://example.org)", root), Lines{"nowhere.md"});
}

TEST(DocsRules, TranslationsAreComparedWithTheirOrder) {
  const std::string a = "<!-- run -->\n```cpp\nint a;\n```\n", b = "<!-- run -->\n```cpp\nint b;\n```\n";
  EXPECT_EQ(snippets("words\n" + a + b), snippets(a + "other words\n" + b));
  EXPECT_NE(snippets(a + b), snippets(b + a));
  EXPECT_NE(snippets(a + b), snippets(a));
}

}  // namespace
