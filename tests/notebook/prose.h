// Numbers in prose: where they are, and which of them make no claim. The rules are those of notebooks/README.md, section Numbers.
#pragma once
#include <string>
#include <vector>

namespace notebook {

struct Numeral {
  std::string text;            ///< as written
  std::vector<double> values;  ///< what a check may hold instead: 1.7 % is 1.7 or 0.017
  std::size_t at;              ///< byte in the text
};
/// All of them; those attached to a letter before (W1, GPT-2) are part of a name.
std::vector<Numeral> numerals(const std::string& text);

struct Prose {
  std::string claims;              ///< the text with everything blank that makes no claim; as long as before
  std::vector<std::string> spans;  ///< code: spans, and indented blocks
  std::vector<std::size_t> at;     ///< where each begins
};
/// One Markdown cell. sections: numbers of the page's headings, which "section 2" may name.
Prose prose(const std::string& cell, const std::vector<std::string>& sections);

/// "1", "2", "2.1" of headings `## 2.1 Title`.
std::vector<std::string> numbered_sections(const std::string& cell);

}  // namespace notebook
