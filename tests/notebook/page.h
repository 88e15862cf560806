// A page of notebooks/ as cells, read apart from notebooks/tools/page.py, which makes the notebooks: where the two disagree, a
// notebook is not made from its page. See notebooks/README.md.
#pragma once
#include <regex>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/rules.h"

namespace notebook {

struct Cell {
  bool code = false;
  std::string text;  ///< without empty lines at its ends
  bool raises = false;
  int line = 0;     ///< of its first line in the page, counted from 1
  int section = 0;  ///< how many headings ## are above it, or in it, for prose: above its first line
};

inline bool is_page(const std::string& path) {
  static const std::regex name(R"(notebooks/\d\d-[a-z0-9-]+(\.zh)?\.md)");
  return std::regex_match(path, name);
}
inline bool is_chinese(const std::string& path) { return path.size() > 6 && path.rfind(".zh.md") == path.size() - 6; }
/// notebooks/04-lora.zh.md -> notebooks/04-lora.zh.ipynb
inline std::string book_of(const std::string& page) { return page.substr(0, page.size() - 3) + ".ipynb"; }
inline std::string chinese_of(const std::string& page) { return page.substr(0, page.size() - 3) + ".zh.md"; }
inline std::string english_of(const std::string& page) { return page.substr(0, page.size() - 6) + ".md"; }

/// Errors: std::runtime_error for a page that is none.
inline std::vector<Cell> cells(const std::string& page) {
  std::vector<Cell> found;
  std::vector<std::string> body;
  int first = 1, number = 0, section = 0, section_before = 0;
  bool inside = false, raises = false;
  const auto take = [&](bool code) {
    std::size_t begin = 0, end = body.size();
    while (begin < end && body[begin].empty()) ++begin;
    while (end > begin && body[end - 1].empty()) --end;
    Cell cell{code, "", code && raises, first + static_cast<int>(begin), code ? section : section_before};
    for (std::size_t i = begin; i < end; ++i) cell.text += body[i] + (i + 1 < end ? "\n" : "");
    if (code || cell.text.find_first_not_of(" \t\n") != std::string::npos) found.push_back(cell);
    body.clear(), first = number + 1, section_before = section;
  };
  const auto bad = [&](const std::string& why) { throw std::runtime_error("line " + std::to_string(number) + ": " + why); };
  for (const std::string& line : rules::lines(page)) {
    ++number;
    if (inside) {
      if (line == "```") take(true), inside = raises = false;
      else body.push_back(line);
    } else if (line == "```cpp") {
      take(false), inside = true;
    } else if (raises) {
      bad("<!-- cell raises --> stands on the line before a fence");
    } else if (line.rfind("```", 0) == 0) {
      bad("only ```cpp begins a cell; there are no other fences");
    } else if (line == "<!-- cell raises -->") {
      raises = true;
    } else {
      if (line.rfind("## ", 0) == 0) ++section;
      body.push_back(line);
    }
  }
  if (inside || raises) bad("a cell has no end");
  take(false);
  return found;
}

inline std::vector<Cell> code_cells(const std::string& page) {
  std::vector<Cell> found;
  for (Cell& cell : cells(page))
    if (cell.code) found.push_back(std::move(cell));
  return found;
}

/// One complaint for whatever is wrong with a page, for each page of a tree; a page that cannot be read is one, too.
template <class F>
rules::Complaints each_page(const rules::Tree& tree, const F& complain) {
  rules::Complaints found;
  for (const auto& [path, text] : tree) {
    if (!is_page(path)) continue;
    const auto say = [&found, page = path](int line, const std::string& what) {
      found.push_back(page + (line > 0 ? ":" + std::to_string(line) : "") + ": " + what);
    };
    try {
      complain(path, cells(text), say);
    } catch (const std::runtime_error& error) { say(0, error.what()); }
  }
  return found;
}

/// notebooks/, docs/ and what links may lead to.
rules::Tree real_tree();

}  // namespace notebook
