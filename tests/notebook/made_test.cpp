// A notebook is made from its page: the same cells, and outputs that belong to this code. What it was made from besides (headers, the
// library) is in its metadata, and ./run notebooks says which notebooks are old; whether outputs are still right only running tells.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "tests/notebook/page.h"

namespace {

using namespace rules;
using namespace notebook;
using Json = nlohmann::json;

/// FNV-1a, 64 bits, of all code, each cell with a zero behind it: as notebooks/tools/notebook.py has it.
std::string code_hash(const std::vector<std::string>& cells) {
  std::uint64_t hash = 0xCBF29CE484222325u;
  const auto take = [&](unsigned char byte) { hash = (hash ^ byte) * 0x100000001B3u; };
  for (const std::string& cell : cells) {
    for (char c : cell) take(static_cast<unsigned char>(c));
    take(0);
  }
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash));
  return digits;
}

std::string joined(const Json& text) {
  if (text.is_string()) return text;
  std::string all;
  for (const Json& line : text) all += line.get<std::string>();
  return all;
}
/// Links to pages of notebooks lead to notebooks.
std::string linked(const std::string& prose) {
  static const std::regex link(R"(\]\((\d\d-[\w.-]+)\.md(#[^)\s]*)?\))");
  return std::regex_replace(prose, link, "]($1.ipynb$2)");
}

/// complain(notebook, its page's cells, say) for each page that has one.
template <class F>
Complaints each_book(const Tree& tree, const F& complain) {
  return each_page(tree, [&](const std::string& path, const std::vector<Cell>& page, const auto& say) {
    const auto file = tree.find(book_of(path));
    if (file == tree.end()) return say(0, "there is no notebook of it; ./run notebooks --write makes it");
    const Json book = Json::parse(file->second, nullptr, false);
    if (book.is_discarded() || !book.is_object() || !book.contains("cells")) return say(0, "its notebook is no notebook");
    try {
      complain(book, page, say);
    } catch (const Json::exception& error) { say(0, "its notebook is not one of ours: " + std::string(error.what())); }
  });
}

Complaints notebooks_are_made_from_their_pages(const Tree& tree) {
  return each_book(tree, [](const Json& book, const std::vector<Cell>& page, const auto& say) {
    const Json& all = book.at("cells");
    std::set<std::string> ids;
    for (std::size_t i = 0; i < std::max(all.size(), page.size()); ++i) {
      if (i >= page.size()) return say(0, "its notebook has more cells");
      const auto old = [&](const std::string& what) {
        say(page[i].line, what + "; notebooks/tools/make.py makes it anew, ./run notebooks --write runs it");
      };
      if (i >= all.size()) return old("its notebook ends before this cell");
      const std::string wanted = page[i].code ? page[i].text : linked(page[i].text);
      if (all[i].at("cell_type") != (page[i].code ? "code" : "markdown") || joined(all[i].at("source")) != wanted)
        return old("the notebook's cell is another");
      const Json tags = all[i].at("metadata").value("tags", Json::array());
      if (tags != (page[i].raises ? Json::array({"raises-exception"}) : Json::array()))
        return old("the notebook's cell is tagged otherwise");
      if (!ids.insert(all[i].at("id")).second) say(page[i].line, "two cells of its notebook have one id");
    }
    if (book.at("metadata").at("kernelspec").at("name") != "xcpp17") say(0, "its notebook asks for another kernel");
  });
}

Complaints outputs_belong_to_the_code(const Tree& tree) {
  return each_book(tree, [](const Json& book, const std::vector<Cell>&, const auto& say) {
    std::vector<std::string> code;
    for (const Json& cell : book.at("cells"))
      if (cell.at("cell_type") == "code") code.push_back(joined(cell.at("source")));
    const Json& from = book.at("metadata").at("graft");
    if (from.value("code", "") != code_hash(code))
      return say(0, "its notebook has not the outputs of this code; ./run notebooks --write runs it");
    for (const char* part : {"page", "headers", "library"})
      if (from.value(part, "").size() != 12)
        say(0, std::string("its notebook does not say from which ") + part + " it was made");
    int number = 0;
    for (const Json& cell : book.at("cells")) {
      if (cell.at("cell_type") != "code") continue;
      const std::string where = "cell " + std::to_string(++number) + " of its notebook ";
      const bool raises = cell.at("metadata").contains("tags");
      bool raised = false;
      if (cell.at("execution_count") != number) say(0, where + "was not run in its turn");
      for (const Json& output : cell.at("outputs")) {
        raised = raised || output.at("output_type") == "error";
        if (output.at("output_type") == "stream" && output.at("name") == "stderr") say(0, where + "says something on stderr");
      }
      if (raised && !raises) say(0, where + "shows an error");
      if (!raised && raises) say(0, where + "is to raise, and did not");
    }
  });
}

/// The code is the same, so it was run once.
Complaints both_languages_show_the_same(const Tree& tree) {
  const auto outputs = [](const std::string& text) {
    const Json book = Json::parse(text);
    Json all = Json::array();
    for (const Json& cell : book.at("cells"))
      if (cell.at("cell_type") == "code") all.push_back(cell.at("outputs"));
    return all;
  };
  return each_page(tree, [&](const std::string& path, const std::vector<Cell>&, const auto& say) {
    const auto english = tree.find(book_of(path)), chinese = tree.find(book_of(chinese_of(path)));
    if (is_chinese(path) || english == tree.end() || chinese == tree.end()) return;
    try {
      if (outputs(english->second) != outputs(chinese->second)) say(0, "its notebook in Chinese shows something else");
    } catch (const Json::exception&) { say(0, "one of its notebooks is none"); }
  });
}

Complaints something_is_seen_soon(const Tree& tree) {
  return each_book(tree, [](const Json& book, const std::vector<Cell>&, const auto& say) {
    int number = 0;
    for (const Json& cell : book.at("cells")) {
      if (cell.at("cell_type") != "code" || ++number > 4) continue;
      for (const Json& output : cell.at("outputs"))
        if (const Json data = output.value("data", Json::object());
            data.contains("image/svg+xml") || data.contains("text/html"))
          return;
    }
    say(0, "no picture and no table among the outputs of its first four cells of code");
  });
}

/// What GitHub shows, and how long a clone takes: pictures are text.
Complaints notebooks_are_small(const Tree& tree) {
  Complaints found;
  for (const auto& [path, text] : tree)
    if (path.size() > 6 && path.rfind(".ipynb") == path.size() - 6) {
      if (text.size() > 1000000)
        found.push_back(path + " has " + std::to_string(text.size()) + " bytes; a million are the most");
      if (tree.count(path.substr(0, path.size() - 6) + ".md") == 0) found.push_back(path + " has no page");
    }
  return found;
}

// --- notebooks that are wrong, and right ones --------------------------------------------------------------------------------

const std::string text =
    "# A\n\n[b](01-b.md#c)\n\n```cpp\nint a = 1;\n\na\n```\n\nB\n<!-- cell raises -->\n```cpp\nf();\n```\n## C\n";
Json book() {
  const auto code = [](const std::string& id, const Json& source, int number, const Json& output, const Json& metadata) {
    return Json{{"cell_type", "code"},  {"id", id},
                {"source", source},     {"execution_count", number},
                {"metadata", metadata}, {"outputs", Json::array({output})}};
  };
  const auto prose = [](const std::string& id, const std::string& source) {
    return Json{{"cell_type", "markdown"}, {"id", id}, {"source", Json::array({source})}, {"metadata", Json::object()}};
  };
  const Json picture{
      {"output_type", "execute_result"}, {"data", {{"image/svg+xml", {"<svg/>"}}}}, {"metadata", Json::object()}};
  const Json error{{"output_type", "error"}, {"ename", "E"}, {"evalue", "e"}, {"traceback", Json::array()}};
  return {
      {"cells",
       {prose("a", "# A\n\n[b](01-b.ipynb#c)"), code("b", {"int a = 1;\n", "\n", "a"}, 1, picture, Json::object()),
        prose("c", "B"), code("d", {"f();"}, 2, error, {{"tags", {"raises-exception"}}}), prose("e", "## C")}},
      {"metadata",
       {{"kernelspec", {{"name", "xcpp17"}}},
        {"graft", {{"code", "CODE"}, {"page", "0123456789ab"}, {"headers", "0123456789ab"}, {"library", "0123456789ab"}}}}}};
}
const std::string hash = code_hash({"int a = 1;\n\na", "f();"});
Tree house(Json changed = Json::object()) {  // a patch of the notebook, in both languages
  Json it = book();
  it["metadata"]["graft"]["code"] = hash;
  it = it.patch(changed.is_array() ? changed : Json::array());
  return {{"notebooks/00-a.md", text},
          {"notebooks/00-a.ipynb", it.dump()},
          {"notebooks/00-a.zh.md", text},
          {"notebooks/00-a.zh.ipynb", it.dump()}};
}
Tree with(const std::string& operation, const std::string& path, const Json& value = nullptr) {
  return house(Json::array({{{"op", operation}, {"path", path}, {"value", value}}}));
}
Tree other(const std::string& path, const std::string& content) {
  Tree tree = house();
  if (content.empty()) tree.erase(path);
  else tree[path] = content;
  return tree;
}

const std::vector<Rule> rules = {
    {"notebooks_are_made_from_their_pages",
     notebooks_are_made_from_their_pages,
     {with("replace", "/cells/1/source/2", "b"), with("replace", "/cells/1/source", "int a = 1;\na"),
      with("replace", "/cells/0/source/0", "# B"), with("replace", "/cells/0/source/0", "# A\n\n[b](01-b.md#c)"),
      with("remove", "/cells/4"), with("remove", "/cells/2"),
      with("add", "/cells/5", {{"cell_type", "markdown"}, {"id", "z"}, {"source", "x"}, {"metadata", Json::object()}}),
      with("replace", "/cells/2/cell_type", "code"), with("remove", "/cells/3/metadata/tags"),
      with("add", "/cells/1/metadata/tags", {"raises-exception"}), with("replace", "/cells/2/id", "a"),
      with("replace", "/metadata/kernelspec/name", "python3"), with("remove", "/metadata"), with("replace", "/cells", 3),
      other("notebooks/00-a.ipynb", ""), other("notebooks/00-a.ipynb", "{"), other("notebooks/00-a.zh.ipynb", "[]"),
      other("notebooks/00-a.md", "# A\n" + text)}},
    {"outputs_belong_to_the_code",
     outputs_belong_to_the_code,
     {with("replace", "/metadata/graft/code", code_hash({"int a = 1;", "f();"})), with("remove", "/metadata/graft/code"),
      with("remove", "/metadata/graft"), with("replace", "/metadata/graft/library", "1"),
      with("replace", "/cells/1/source/2", "b"), with("replace", "/cells/1/execution_count", nullptr),
      with("replace", "/cells/1/execution_count", 2), with("remove", "/cells/3/outputs/0"),
      with("remove", "/cells/3/metadata/tags"),
      with("replace", "/cells/1/outputs/0", {{"output_type", "stream"}, {"name", "stderr"}, {"text", {"w"}}})}},
    {"both_languages_show_the_same",
     both_languages_show_the_same,
     {other("notebooks/00-a.zh.ipynb", with("remove", "/cells/1/outputs/0")["notebooks/00-a.ipynb"]),
      other("notebooks/00-a.zh.ipynb", "{}")}},
    {"something_is_seen_soon",
     something_is_seen_soon,
     {with("remove", "/cells/1/outputs/0"), with("replace", "/cells/1/outputs/0/data", {{"text/plain", "x"}})}},
    {"notebooks_are_small",
     notebooks_are_small,
     {other("notebooks/00-a.ipynb", std::string(1000001, ' ')), other("notebooks/00-a.md", "")}},
};

class NotebookMade : public testing::TestWithParam<Rule> {};
TEST_P(NotebookMade, KeepTheRule) {
  for (const std::string& complaint : GetParam().complain(real_tree())) ADD_FAILURE() << complaint;
}
TEST_P(NotebookMade, RuleSeesABrokenNotebook) {
  for (std::size_t i = 0; i < GetParam().broken.size(); ++i)
    EXPECT_FALSE(GetParam().complain(GetParam().broken[i]).empty())
        << "nothing found in number " << i << ": " << testing::PrintToString(GetParam().broken[i]);
}
INSTANTIATE_TEST_SUITE_P(Rules, NotebookMade, testing::ValuesIn(rules),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(NotebookMadeOf, AGoodNotebookIsLeftAlone) {
  for (const Rule& rule : rules) EXPECT_EQ(rule.complain(house()), Complaints{}) << rule.name;
  EXPECT_EQ(code_hash({}), "cbf29ce484222325") << "the start of FNV-1a";
  EXPECT_EQ(code_hash({"a"}), "089be207b544f1e4") << "of \"a\\0\"";
}

}  // namespace
