// An expression as a tree: the parser's result (regex_tree.cpp), the matcher's beginning (regex.cpp).
#pragma once
#include <bitset>
#include <string>
#include <vector>

namespace graft::peft {

struct RegexNode {
  enum class Kind {
    sequence,  ///< parts, one after another
    choice,    ///< one of the parts, the first that leads to a match
    one_of,    ///< one character of the set
    repeat,    ///< parts[0], min to max times
    group,     ///< parts[0], kept under `name`
    look,      ///< parts[0] must match here (behind: must end here), and takes nothing
    atomic,    ///< parts[0] as it matches first; nothing else is tried
    text_start,
    line_start,
    text_end,     ///< \Z
    end,          ///< $: the end, or before a newline that ends the text
    line_end,     ///< $ under the flag m
    word_edge,    ///< \b
    no_word_edge  ///< \B
  };
  static constexpr unsigned no_limit = ~0u;

  Kind kind = Kind::sequence;
  std::vector<RegexNode> parts;
  std::bitset<256> set;
  unsigned min = 0, max = 0;
  bool lazy = false, negative = false, behind = false;
  unsigned width = 0;  ///< of what a lookbehind matches
  std::string name;
};

/// Errors: FormatError, with `where`, the expression and the place.
RegexNode parse_regex(const std::string& expression, const std::string& where);
/// "the expression, cut short if it is long", for messages.
std::string shown_regex(const std::string& expression);

}  // namespace graft::peft
