// The rules of the house, read off the source tree: who may include whom, where Eigen and OpenMP may show, and what every
// header promises. Each rule is a function from a tree to complaints; it is run on the real tree, which must give none, and
// on a small broken one, which must give some. See docs/architecture.md for the reasons.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "tests/here.h"
#include "tests/rules.h"

namespace {

using namespace rules;

// Who may include whom; every folder may include itself. Outside of this table (tests, bench, notebooks) all is allowed.
const std::map<std::string, std::set<std::string>> may_include = {
    {"autograd", {}},
    {"cuda", {"autograd"}},
    {"tokenizer", {}},
    {"formats", {}},
    {"nn", {"autograd", "tokenizer", "formats"}},
    {"peft", {"autograd", "tokenizer", "formats", "nn"}},
    {"train", {"autograd", "tokenizer", "formats", "nn"}},
    {"tune", {"autograd", "tokenizer", "formats", "nn", "peft", "train"}},
    {"show", {"autograd", "tokenizer", "nn", "peft", "train", "tune"}},
    {"lesson", {"autograd", "tokenizer", "formats", "nn", "peft", "train", "tune"}},
    {"cli", {"autograd", "tokenizer", "formats", "nn", "peft", "train", "tune", "show", "lesson", "cuda"}},
};

// Public, but not part of graft.h (cmake/umbrella.cmake): the opt-in views for Eigen, and the kernels that ops are made of.
const std::set<std::string> beside_umbrella = {"autograd/eigen.h", "autograd/kernels.h", "autograd/clear.h"};

// They stand on nothing: one family of errors for all, and one way to write numbers, lists and characters.
const std::set<std::string> open_to_all = {"autograd/errors.h", "autograd/text.h", "autograd/utf8.h", "autograd/check.h", "autograd/sizes.h"};

std::string folder(const std::string& path) { return path.substr(0, path.find('/')); }
bool is_header(const std::string& path) { return fs::path(path).extension() == ".h"; }
bool is_source(const std::string& path) { return is_header(path) || fs::path(path).extension() == ".cpp"; }
bool in_house(const std::string& path) { return may_include.count(folder(path)) != 0 && is_source(path); }
/// What cmake --install hands out: the headers at the top of a folder of the library, and graft.h.
bool is_public(const std::string& path) {
  if (path == "graft.h") return true;
  return in_house(path) && is_header(path) && folder(path) != "cli" && fs::path(path).parent_path() == folder(path);
}
bool in_cpu_source(const std::string& path) { return std::regex_match(path, std::regex("autograd/cpu/[^/]*\\.(cpp|h)")); }

struct Include {
  std::string what;
  bool quoted;
};
std::vector<Include> includes(const std::string& text) {
  static const std::regex pattern(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
  std::vector<Include> found;
  std::smatch m;
  for (const std::string& line : lines(text))
    if (std::regex_search(line, m, pattern)) found.push_back({m[2], m[1] == "\""});
  return found;
}

/// One complaint for each include of each file of the house for which wrong(path, include) says why.
Complaints each_include(const Tree& tree, const std::function<std::string(const std::string&, const Include&)>& wrong) {
  Complaints found;
  for (const auto& [path, text] : tree) {
    if (!in_house(path) && path != "graft.h") continue;
    for (const Include& include : includes(text))
      if (const std::string why = wrong(path, include); !why.empty())
        found.push_back(path + " includes " + include.what + ": " + why);
  }
  return found;
}

// --- the rules ---------------------------------------------------------------------------------------------------------

Complaints folders_keep_their_order(const Tree& tree) {
  return each_include(tree, [](const std::string& path, const Include& include) -> std::string {
    const std::string from = folder(path), to = folder(include.what);
    if (may_include.count(from) == 0 || may_include.count(to) == 0) return "";  // graft.h, or nothing of ours
    if (from == to || may_include.at(from).count(to) != 0) return "";
    if (open_to_all.count(include.what) != 0) return "";
    return from + " may not know " + to;
  });
}

Complaints includes_are_written_from_the_root(const Tree& tree) {
  return each_include(tree, [&](const std::string&, const Include& include) -> std::string {
    if (!include.quoted) return may_include.count(folder(include.what)) != 0 ? "write it in quotes" : "";
    return tree.count(include.what) == 0 ? "there is no such file, seen from the root" : "";
  });
}

Complaints public_headers_include_public_ones(const Tree& tree) {
  return each_include(tree, [&](const std::string& path, const Include& include) -> std::string {
    return is_public(path) && include.quoted && !is_public(include.what) ? "it is not installed" : "";
  });
}

Complaints only_cpu_sources_include_eigen(const Tree& tree) {
  static const std::regex eigen(R"((unsupported/)?Eigen/.*|autograd/eigen\.h)");
  return each_include(tree, [](const std::string& path, const Include& include) -> std::string {
    if (!std::regex_match(include.what, eigen) || path == "autograd/eigen.h" || in_cpu_source(path)) return "";
    return "only autograd/cpu/ (whose headers are not installed) and autograd/eigen.h may";
  });
}

/// Nor may a header beside the kernels be public, so with the rule above no user sees omp.h.
Complaints only_the_kernels_headers_include_openmp(const Tree& tree) {
  return each_include(tree, [](const std::string& path, const Include& include) -> std::string {
    return is_header(path) && path.rfind("autograd/cpu/", 0) != 0 && include.what == "omp.h" ? "only those in autograd/cpu may"
                                                                                             : "";
  });
}

Complaints nothing_of_cpp20(const Tree& tree) {
  static const std::set<std::string> later = {"barrier",  "bit",        "compare",    "concepts",        "coroutine",
                                              "expected", "format",     "generator",  "latch",           "mdspan",
                                              "numbers",  "print",      "ranges",     "source_location", "semaphore",
                                              "span",     "stacktrace", "stop_token", "syncstream",      "version"};
  return each_include(tree, [](const std::string&, const Include& include) -> std::string {
    return !include.quoted && later.count(include.what) != 0 ? "that is not C++17" : "";
  });
}

/// The model and the engine know no fine-tuning method by name.
Complaints no_method_is_named_below_peft(const Tree& tree) {
  static const std::regex method(R"(\b(q?lora|dora|prefix.?tuning|prompt.?tuning|p.?tuning|adapters?)\b)",
                                 std::regex::icase | std::regex::ECMAScript | std::regex::optimize);
  Complaints found;
  for (const auto& [path, text] : tree) {
    if (folder(path) != "nn" && folder(path) != "autograd") continue;
    for (const std::string& line : lines(text))
      if (std::regex_search(line, method)) found.push_back(path + " names a method: " + line);
  }
  return found;
}

Complaints headers_are_included_once_and_hold_no_macros(const Tree& tree) {
  static const std::regex macro(R"(^\s*#\s*define\b)"), by_standard(R"(^\s*#\s*(el)?if.*__cplusplus)");
  Complaints found;
  for (const auto& [path, text] : tree) {
    if (!is_header(path) || (!in_house(path) && path != "graft.h")) continue;
    std::string first;
    for (const std::string& line : lines(text)) {
      if (first.empty() && !line.empty() && line.rfind("//", 0) != 0) first = line;
      if (std::regex_search(line, macro)) found.push_back(path + " defines a macro: " + line);
      if (std::regex_search(line, by_standard)) found.push_back(path + " changes with the language's version: " + line);
    }
    if (first != "#pragma once") found.push_back(path + " does not begin, after its comment, with #pragma once");
  }
  return found;
}

/// A .cpp beside a header of its name has its contract there.
Complaints files_open_with_their_contract(const Tree& tree) {
  Complaints found;
  for (const auto& [path, text] : tree) {
    if (!in_house(path) && path != "graft.h") continue;
    const bool in_header = !is_header(path) && tree.count(fs::path(path).replace_extension(".h").generic_string()) != 0;
    if (!in_header && text.rfind("// ", 0) != 0) found.push_back(path + " does not open with a comment that says what it is");
  }
  return found;
}

/// Captures say what is saved for backward, so an op lists them.
Complaints ops_list_their_captures(const Tree& tree) {
  static const std::regex everything(R"(\[=)");
  Complaints found;
  for (const auto& [path, text] : tree) {
    if (path.rfind("autograd/ops/", 0) != 0) continue;
    for (const std::string& line : lines(text))
      if (std::regex_search(line, everything)) found.push_back(path + " captures everything: " + line);
  }
  return found;
}

Complaints umbrella_reaches_all_of_autograd(const Tree& tree) {
  std::set<std::string> reached;
  std::function<void(const std::string&)> walk = [&](const std::string& path) {
    if (tree.count(path) == 0 || !reached.insert(path).second) return;
    for (const Include& include : includes(tree.at(path))) walk(include.what);
  };
  walk("graft.h");
  Complaints found;
  for (const auto& [path, text] : tree)
    if (is_public(path) && beside_umbrella.count(path) == 0 && reached.count(path) == 0)
      found.push_back(path + " is public, but graft.h does not reach it");
  for (const std::string& path : beside_umbrella)
    if (reached.count(path) != 0) found.push_back("graft.h reaches " + path + ", which is meant to be asked for by name");
  return found;
}

// --- the trees ---------------------------------------------------------------------------------------------------------

Tree house() {
  const fs::path root = here::root();
  Tree tree;
  const auto take = [&](const fs::path& file) { tree[fs::relative(file, root).generic_string()] = read(file); };
  for (const auto& [name, others] : may_include)
    if (fs::exists(root / name))
      for (const auto& entry : fs::recursive_directory_iterator(root / name))
        if (entry.is_regular_file()) take(entry.path());
  tree["graft.h"] = read(here::umbrella());
  return tree;
}

// A broken tree holds only what the rule is about, so that a rule that finds nothing anywhere is caught.
const std::vector<Rule> rules = {
    {"folders_keep_their_order",
     folders_keep_their_order,
     {{{"autograd/a.h", "#include \"nn/b.h\"\n"}},
      {{"nn/a.cpp", "#include \"peft/b.h\"\n"}},
      {{"train/a.h", "# include \"peft/b.h\"\n"}},
      {{"peft/a.h", "#include \"train/b.h\"\n"}},
      {{"formats/a.h", "  #include \"autograd/tensor.h\"\n"}},
      {{"tokenizer/bpe/a.cpp", "#include <formats/b.h>\n"}},
      {{"nn/a.h", "#include \"cli/commands.h\"\n"}}}},
    {"includes_are_written_from_the_root",
     includes_are_written_from_the_root,
     {{{"autograd/a.h", "#include \"b.h\"\n"}, {"autograd/b.h", ""}},
      {{"autograd/a.h", "#include <autograd/b.h>\n"}, {"autograd/b.h", ""}}}},
    {"public_headers_include_public_ones",
     public_headers_include_public_ones,
     {{{"autograd/a.h", "#include \"autograd/cpu/b.h\"\n"}, {"autograd/cpu/b.h", ""}},
      {{"graft.h", "#include \"cli/commands.h\"\n"}, {"cli/commands.h", ""}}}},
    {"only_cpu_sources_include_eigen",
     only_cpu_sources_include_eigen,
     {{{"autograd/tensor.h", "#include <Eigen/Core>\n"}},
      {{"autograd/ops/matmul.cpp", "#include \"autograd/eigen.h\"\n"}},
      {{"autograd/ops/views.h", "#include <unsupported/Eigen/CXX11/Tensor>\n"}},
      {{"nn/a.cpp", "#include \"Eigen/Dense\"\n"}}}},
    {"only_the_kernels_headers_include_openmp",
     only_the_kernels_headers_include_openmp,
     {{{"autograd/threads.h", "#include <omp.h>\n"}}, {{"nn/inside/a.h", "#include <omp.h>\n"}}}},
    {"nothing_of_cpp20",
     nothing_of_cpp20,
     {{{"autograd/tensor.h", "#include <span>\n"}}, {{"cli/a.cpp", "#include <ranges>\n"}}}},
    {"no_method_is_named_below_peft",
     no_method_is_named_below_peft,
     {{{"nn/a.h", "struct LoRA;\n"}},
      {{"nn/a.cpp", "// as in QLoRA\n"}},
      {{"autograd/ops/a.cpp", "// prefix-tuning needs it\n"}},
      {{"autograd/a.h", "// for P-tuning v2\n"}},
      {{"nn/README.md", "an adapter\n"}}}},
    {"headers_are_included_once_and_hold_no_macros",
     headers_are_included_once_and_hold_no_macros,
     {{{"autograd/a.h", "// a\nnamespace graft {}\n"}},
      {{"autograd/a.h", "// a\n#pragma once\n#define CHECK(x)\n"}},
      {{"graft.h", "// a\n#pragma once\n#if __cplusplus >= 202002L\n"}}}},
    {"files_open_with_their_contract",
     files_open_with_their_contract,
     {{{"autograd/a.cpp", "#include <map>\n"}}, {{"autograd/a.h", "#pragma once\n"}, {"autograd/a.cpp", "// A.\n"}}}},
    {"ops_list_their_captures",
     ops_list_their_captures,
     {{{"autograd/ops/a.cpp", "return record(\"a\", y, Edge{x, [=](const Tensor& dy) { return dy; }});\n"}}}},
    {"umbrella_reaches_all_of_autograd",
     umbrella_reaches_all_of_autograd,
     {{{"graft.h", "#include \"autograd/a.h\"\n"}, {"autograd/a.h", ""}, {"autograd/b.h", ""}},
      {{"graft.h", "#include \"autograd/kernels.h\"\n"}, {"autograd/kernels.h", ""}}}},
};

class House : public testing::TestWithParam<Rule> {};

TEST_P(House, KeepsTheRule) {
  const Complaints found = GetParam().complain(house());
  for (const std::string& complaint : found) ADD_FAILURE() << complaint;
}

TEST_P(House, RuleSeesABrokenHouse) {
  for (const Tree& tree : GetParam().broken)
    EXPECT_FALSE(GetParam().complain(tree).empty())
        << "nothing found in " << tree.begin()->first << ": " << tree.begin()->second;
}

INSTANTIATE_TEST_SUITE_P(Rules, House, testing::ValuesIn(rules), [](const auto& info) { return std::string(info.param.name); });

TEST(HouseTree, IsReallyRead) {
  const Tree tree = house();
  EXPECT_GE(tree.size(), 20u) << "read from " << here::root();
  for (const char* file : {"graft.h", "autograd/tensor.h", "autograd/variable.cpp", "cli/main.cpp"})
    EXPECT_TRUE(tree.count(file) != 0 && !tree.at(file).empty()) << file;
  EXPECT_FALSE(includes(tree.at("autograd/tensor.h")).empty());
}

/// What the rules must let pass.
TEST(HouseTree, GoodHousesAreLeftAlone) {
  const Tree good = {{"graft.h", "// All.\n#pragma once\n#include \"autograd/a.h\"\n#include \"nn/b.h\"\n"},
                     {"autograd/a.h", "// A.\n#pragma once\n#include <vector>\nint prefix, tuning, prompt, explorations;\n"},
                     {"autograd/a.cpp", "#include \"autograd/a.h\"\n"},
                     {"autograd/cpu/parallel.h", "// Threads.\n#pragma once\n#include <omp.h>\n"},
                     {"autograd/eigen.h", "// Views.\n#pragma once\n#include <Eigen/Core>\n"},
                     {"autograd/cpu/a.cpp", "// Loops.\n#include <omp.h>\n\n#include \"autograd/eigen.h\"\n"},
                     {"autograd/ops/a.cpp", "// Ops.\nauto f = [W = W.value()] {}; x[i] = [&] { return 1; }();\n"},
                     {"nn/b.h", "// B.\n#pragma once\n#include \"autograd/a.h\"\n"},
                     {"peft/lora.cpp", "// LoRA.\n#include \"nn/b.h\"\n"},
                     {"tests/x_test.cpp", "#include <span>\n#include \"nothing.h\"\n"}};
  for (const Rule& rule : rules) EXPECT_EQ(rule.complain(good), Complaints{}) << rule.name;
}

}  // namespace
