// The parser of regex.h: recursive descent over Python's syntax, with Python's error messages.
#include "peft/inside/regex_tree.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "autograd/errors.h"

namespace graft::peft {
namespace {

using Kind = RegexNode::Kind;
using Set = std::bitset<256>;

constexpr int deepest = 100;            // groups in groups
constexpr std::size_t longest = 50'000;  // characters; before a tree of as many parts is made

RegexNode node(Kind kind, std::vector<RegexNode> parts = {}) {
  RegexNode n;
  n.kind = kind, n.parts = std::move(parts);
  return n;
}
RegexNode one_of(const Set& set) {
  RegexNode n;
  n.kind = Kind::one_of, n.set = set;
  return n;
}

Set only(unsigned char c) { return Set().set(c); }

/// What \d, \w and \s mean; upper case means all else.
Set named_set(char letter) {
  Set set;
  for (int c = 0; c < 128; ++c) {
    const char lower = static_cast<char>(std::tolower(letter));
    if (lower == 'd' ? std::isdigit(c) : lower == 'w' ? std::isalnum(c) || c == '_' : std::isspace(c) || (c >= 28 && c <= 31))
      set.set(static_cast<std::size_t>(c));
  }
  return std::isupper(letter) ? ~set : set;
}

/// The widths that a match may have: needed by a lookbehind.
struct Widths {
  unsigned long long least = 0, most = 0;
};
constexpr unsigned long long wide = 1 << 30;

Widths widths(const RegexNode& n) {
  Widths w;
  switch (n.kind) {
    case Kind::one_of: return {1, 1};
    case Kind::sequence:
    case Kind::group:
    case Kind::atomic:
      for (const RegexNode& part : n.parts) {
        const Widths p = widths(part);
        w = {std::min(w.least + p.least, wide), std::min(w.most + p.most, wide)};
      }
      return w;
    case Kind::choice:
      w = widths(n.parts[0]);
      for (const RegexNode& part : n.parts) {
        const Widths p = widths(part);
        w = {std::min(w.least, p.least), std::max(w.most, p.most)};
      }
      return w;
    case Kind::repeat: {
      const Widths p = widths(n.parts[0]);
      return {std::min(p.least * n.min, wide), p.most == 0 ? 0 : std::min(p.most * n.max, wide)};
    }
    default: return w;
  }
}

/// Is there a repetition of what may match nothing? When Python ends such a loop decides what matches first.
bool repeats_nothing(const RegexNode& n) {
  if (n.kind == Kind::repeat && n.max > 1 && widths(n.parts[0]).least == 0) return true;
  return std::any_of(n.parts.begin(), n.parts.end(), repeats_nothing);
}

class Parser {
 public:
  Parser(const std::string& expression, const std::string& where) : text_(expression), where_(where) {}

  RegexNode all() {
    expect<FormatError>(text_.size() <= longest, where_, " holds ", shown_regex(text_), ", a regular expression of ",
                        text_.size(), " characters; at most ", longest, " are read");
    for (at_ = 0; at_ < text_.size(); ++at_)
      if (static_cast<unsigned char>(text_[at_]) > 127) fail("module names have ASCII letters only");
    at_ = 0;
    RegexNode tree = choice();
    if (!done()) fail("unbalanced parenthesis");
    return tree;
  }

 private:
  struct Flags {
    bool ignore_case = false, multiline = false, dot_all = false;
  };

  [[noreturn]] void fail(const std::string& what, std::size_t at) const {
    throw FormatError(graft::text(where_, " holds ", shown_regex(text_), ", which is not a regular expression at character ",
                                  at + 1, ": ", what));
  }
  [[noreturn]] void fail(const std::string& what) const { fail(what, at_); }

  bool done() const { return at_ >= text_.size(); }
  bool next_is(const std::string& words) const { return text_.compare(at_, words.size(), words) == 0; }
  bool take(const std::string& words) {
    if (!next_is(words)) return false;
    at_ += words.size();
    return true;
  }
  char get(const char* what) {
    if (done()) fail(what);
    return text_[at_++];
  }

  RegexNode choice() {
    const std::size_t begin = at_;
    if (++depth_ > deepest) fail("groups are nested too deeply");
    RegexNode n = node(Kind::choice);
    do n.parts.push_back(sequence(depth_ == 1 && at_ == begin));
    while (take("|"));
    --depth_;
    return n.parts.size() == 1 ? std::move(n.parts[0]) : n;
  }

  RegexNode sequence(bool first) {
    RegexNode n = node(Kind::sequence);
    while (!done() && text_[at_] != '|' && text_[at_] != ')') {
      std::vector<RegexNode> item = one(first && n.parts.empty());
      if (!item.empty()) n.parts.push_back(repeated(std::move(item[0])));  // else a comment, or flags
    }
    return n;
  }

  /// Whether there is a quantifier here; then moves past it.
  bool quantifier(unsigned& min, unsigned& max) {
    const std::size_t begin = at_;
    if (take("*")) return min = 0, max = RegexNode::no_limit, true;
    if (take("+")) return min = 1, max = RegexNode::no_limit, true;
    if (take("?")) return min = 0, max = 1, true;
    if (!take("{")) return false;
    if (!next_is("}")) {
      const std::string low = digits();
      const bool range = take(",");
      const std::string high = range ? digits() : low;
      if (take("}")) {
        min = low.empty() ? 0 : number(low, begin), max = high.empty() ? RegexNode::no_limit : number(high, begin);
        if (min > max) fail("min repeat greater than max repeat", begin);
        return true;
      }
    }
    at_ = begin;  // a brace that means itself
    return false;
  }
  std::string digits() {
    const std::size_t begin = at_;
    while (!done() && std::isdigit(static_cast<unsigned char>(text_[at_]))) ++at_;
    return text_.substr(begin, at_ - begin);
  }
  unsigned number(const std::string& digits, std::size_t at) const {
    if (digits.size() > 9) fail("the repetition number is too large", at);
    return static_cast<unsigned>(std::stoul(digits));
  }

  RegexNode repeated(RegexNode item) {
    while (next_is("(?#")) comment();
    unsigned min = 0, max = 0;
    const std::size_t at = at_;
    if (!quantifier(min, max)) return item;
    if (item.kind >= Kind::text_start) fail("nothing to repeat", at);  // a place
    RegexNode n = node(Kind::repeat);
    n.parts.push_back(std::move(item));
    n.min = min, n.max = max;
    n.lazy = take("?");
    const bool possessive = !n.lazy && take("+");
    const std::size_t more = at_;
    if (quantifier(min, max)) fail("multiple repeat", more);
    if (!possessive) return n;
    n.parts[0] = node(Kind::atomic, {std::move(n.parts[0])});  // Python goes back into no round of it, either
    return atomic(std::move(n), at);
  }

  RegexNode atomic(RegexNode item, std::size_t at) {
    if (repeats_nothing(item)) fail("repeating what may be empty in a possessive repetition or (?>..) is not supported", at);
    return node(Kind::atomic, {std::move(item)});
  }

  /// One item without its quantifier, or none.
  std::vector<RegexNode> one(bool first) {
    const std::size_t at = at_;
    const char c = text_[at_];
    unsigned min = 0, max = 0;
    if (quantifier(min, max)) fail("nothing to repeat", at);
    ++at_;
    switch (c) {
      case '.': return {one_of(flags_.dot_all ? ~Set() : ~only('\n'))};
      case '^': return {node(flags_.multiline ? Kind::line_start : Kind::text_start)};
      case '$': return {node(flags_.multiline ? Kind::line_end : Kind::end)};
      case '[': return {one_of(characters(at))};
      case '(': return group(at, first);
      case '\\': return {escape(at)};
      default: return {one_of(any_case(only(static_cast<unsigned char>(c))))};
    }
  }

  Set any_case(Set set) const {
    if (!flags_.ignore_case) return set;
    for (std::size_t c = 'a'; c <= 'z'; ++c) {
      const std::size_t upper = c - 'a' + 'A';
      if (set[c] || set[upper]) set.set(c).set(upper);
    }
    return set;
  }

  /// After a backslash at `at`: a character that has no meaning of its own there.
  unsigned char character(char c, std::size_t at) {
    switch (c) {
      case 'n': return '\n';
      case 't': return '\t';
      case 'r': return '\r';
      case 'f': return '\f';
      case 'v': return '\v';
      case 'a': return '\a';
      case 'x': {
        const std::string hex = text_.substr(at_, 2);
        if (hex.size() < 2 || !std::isxdigit(static_cast<unsigned char>(hex[0])) ||
            !std::isxdigit(static_cast<unsigned char>(hex[1])))
          fail("incomplete escape \\x", at);
        at_ += 2;
        const int code = std::stoi(hex, nullptr, 16);
        if (code > 127) fail("module names have ASCII letters only", at);
        return static_cast<unsigned char>(code);
      }
      default: break;
    }
    if (std::isdigit(static_cast<unsigned char>(c))) fail("back-references and octal numbers are not supported", at);
    if (std::isalpha(static_cast<unsigned char>(c))) fail(std::string("bad escape \\") + c, at);
    return static_cast<unsigned char>(c);
  }

  RegexNode escape(std::size_t at) {
    const char c = get("bad escape (end of pattern)");
    switch (c) {
      case 'A': return node(Kind::text_start);
      case 'Z': return node(Kind::text_end);
      case 'b': return node(Kind::word_edge);
      case 'B': return node(Kind::no_word_edge);
      case 'd':
      case 'D':
      case 'w':
      case 'W':
      case 's':
      case 'S': return one_of(named_set(c));
      default: return one_of(any_case(only(character(c, at))));
    }
  }

  /// After "[".
  Set characters(std::size_t at) {
    Set set;
    const bool negative = take("^");
    for (bool first = true; first || !next_is("]"); first = false) {
      const std::size_t begin = at_;
      bool is_set = false;
      const Set low = member(at, is_set);
      if (!next_is("-") || next_is("-]")) {
        set |= low;
        continue;
      }
      ++at_;
      if (done()) fail("unterminated character set", at);
      bool is_set_too = false;
      const Set high = member(at, is_set_too);
      const auto code = [](const Set& s) {
        unsigned c = 0;
        while (!s[c]) ++c;
        return c;
      };
      if (is_set || is_set_too || code(low) > code(high))
        fail("bad character range " + text_.substr(begin, at_ - begin), begin);
      for (unsigned c = code(low); c <= code(high); ++c) set.set(c);
    }
    ++at_;
    set = any_case(set);
    return negative ? ~set : set;
  }
  Set member(std::size_t set_at, bool& is_set) {
    if (done()) fail("unterminated character set", set_at);
    const std::size_t at = at_;
    const char c = text_[at_++];
    if (c != '\\') return only(static_cast<unsigned char>(c));
    if (done()) fail("unterminated character set", set_at);
    const char e = text_[at_++];
    is_set = std::string("dDwWsS").find(e) != std::string::npos;
    return is_set ? named_set(e) : only(e == 'b' ? '\b' : character(e, at));
  }

  // --- groups ----------------------------------------------------------------------------------------------------------------

  RegexNode inside(std::size_t at) {
    const Flags outside = flags_;
    RegexNode n = choice();
    if (!take(")")) fail("missing ), unterminated subpattern", at);
    flags_ = outside;
    return n;
  }

  std::vector<RegexNode> group(std::size_t at, bool first) {
    if (!take("?")) return {node(Kind::sequence, {inside(at)})};
    if (take(":")) return {node(Kind::sequence, {inside(at)})};
    if (take(">")) return {atomic(inside(at), at)};
    if (next_is("#")) return at_ = at, comment(), std::vector<RegexNode>{};
    if (take("P<")) return {named(at)};
    if (next_is("P=")) fail("back-references are not supported", at);
    if (next_is("(")) fail("conditions are not supported", at);
    const bool behind = next_is("<=") || next_is("<!");
    if (behind || next_is("=") || next_is("!")) {
      if (behind) ++at_;
      RegexNode n = node(Kind::look);
      n.behind = behind, n.negative = text_[at_++] == '!';
      n.parts.push_back(inside(at));
      if (behind) {
        const Widths w = widths(n.parts[0]);
        if (w.least != w.most) fail("look-behind requires fixed-width pattern", at);
        n.width = static_cast<unsigned>(w.least);
      }
      return {std::move(n)};
    }
    return flags(at, first);
  }

  void comment() {
    const std::size_t end = text_.find(')', at_);
    if (end == std::string::npos) fail("missing ), unterminated comment");
    at_ = end + 1;
  }

  RegexNode named(std::size_t at) {
    const std::size_t end = text_.find('>', at_);
    if (end == std::string::npos) fail("missing >, unterminated name", at);
    RegexNode n = node(Kind::group);
    n.name = text_.substr(at_, end - at_);
    const auto part = [](unsigned char c) { return std::isalnum(c) || c == '_'; };
    const bool starts = !n.name.empty() && !std::isdigit(static_cast<unsigned char>(n.name[0]));
    if (!starts || !std::all_of(n.name.begin(), n.name.end(), part))
      fail("bad character in group name '" + n.name + "'");
    if (!names_.insert(n.name).second) fail("redefinition of group name '" + n.name + "'");
    at_ = end + 1;
    n.parts.push_back(inside(at));
    return n;
  }

  /// (?im) for all that follows, at the beginning only; (?i-m:...) for a group.
  std::vector<RegexNode> flags(std::size_t at, bool first) {
    Flags changed = flags_;
    bool on = true, any = false;
    while (!done() && text_[at_] != ')' && text_[at_] != ':') {
      const char c = text_[at_];
      if (c == '-' && on) on = false, any = false;
      else if (c == 'i') changed.ignore_case = on, any = true;
      else if (c == 'm') changed.multiline = on, any = true;
      else if (c == 's') changed.dot_all = on, any = true;
      else if ((c == 'a' || c == 'u') && on) any = true;  // ASCII or all letters: names are ASCII
      else if (c == 'x') fail("the flag x is not supported");
      else fail("unknown extension " + text_.substr(at + 1, at_ - at));
      ++at_;
    }
    if (done() || !any) fail("missing flag", at);
    if (take(")")) {
      if (!on) fail("missing :", at_ - 1);
      if (!first) fail("global flags not at the start of the expression", at);
      flags_ = changed;
      return {};
    }
    ++at_;
    const Flags outside = flags_;
    flags_ = changed;
    RegexNode n = inside(at);
    flags_ = outside;
    return {node(Kind::sequence, {std::move(n)})};
  }

  const std::string& text_;
  const std::string& where_;
  std::size_t at_ = 0;
  int depth_ = 0;
  Flags flags_;
  std::set<std::string> names_;
};

}  // namespace

std::string shown_regex(const std::string& expression) {
  constexpr std::size_t most = 80;
  return "\"" + (expression.size() > most ? expression.substr(0, most) + "..." : expression) + "\"";
}

RegexNode parse_regex(const std::string& expression, const std::string& where) { return Parser(expression, where).all(); }

}  // namespace graft::peft
