#include "tests/notebook/code.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <regex>

namespace notebook {

namespace {

bool word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }
std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t\n");
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(" \t\n") - begin + 1);
}
bool starts(const std::string& text, const std::regex& with) {
  return std::regex_search(text, with, std::regex_constants::match_continuous);
}

/// Does what ends here go on: an if with an else, a try with a catch, a do with a while?
bool goes_on(const std::string& piece, const std::string& rest) {
  static const std::regex if_else(R"(\s*else\b)"), try_catch(R"(\s*catch\b)"), do_while(R"(\s*while\b)");
  static const std::regex is_if(R"(if\b)"), is_try(R"(try\b)"), is_do(R"(do\b)");
  return (starts(piece, is_if) && starts(rest, if_else)) || (starts(piece, is_try) && starts(rest, try_catch)) ||
         (starts(piece, is_do) && starts(rest, do_while));
}

/// type name(parameters) {: what comes before the first brace outside of brackets, or "".
std::string head_of_function(const std::string& piece) {
  static const std::regex call(R"([\w:]+\s*\()"), control(R"((if|for|while|switch|catch|return|else|do|try)\b)");
  if (starts(piece, call) || starts(piece, control)) return "";
  int depth = 0;
  bool parameters = false;
  for (std::size_t i = 0; i < piece.size(); ++i) {
    const char c = piece[i];
    if (c == '(' && depth++ == 0) parameters = true;
    if (c == ')') --depth;
    if (depth > 0) continue;
    const bool operator_ = piece.rfind("operator", i) != std::string::npos && i - piece.rfind("operator", i) < 12;
    if (c == ';' || (c == '=' && !operator_)) return "";
    if (c == '[' && !operator_) return "";
    if (c == '{') return parameters ? piece.substr(0, i) : "";
  }
  return "";
}

bool ends_with_brace(const std::string& piece, const std::string& rest) {
  static const std::regex type(R"((struct|class|enum|union|typedef)\b)"),
      template_type(R"(template[^{;]*>\s*(struct|class)\b)");
  static const std::regex block(R"((if|for|while|switch|try|else|do|namespace|template)\b|\{)");
  if (goes_on(piece, rest) || starts(piece, type) || starts(piece, template_type)) return false;
  return starts(piece, block) || !head_of_function(piece).empty();
}

/// Names of `Tensor a, b(3);`, or none if it is no declaration of variables.
std::vector<std::string> declared(const std::string& piece) {
  static const std::regex first(
      R"((?:(?:const|constexpr|static|inline|unsigned|long|short|signed)\s+)*)"
      R"((?:::)?[A-Za-z_]\w*(?:::[A-Za-z_]\w*)*(?:<[^;=()]*>(?:::\w+)*)?(?:\s+const)?)"
      R"((?:\s*[&*]+\s*|\s+)([A-Za-z_]\w*)\s*(?=[=;({,\[]))");
  static const std::regex control(R"((return|throw|delete|new|goto|else|case|using|typedef|co_\w+)\b)");
  std::smatch m;
  if (starts(piece, control) || !std::regex_search(piece, m, first, std::regex_constants::match_continuous)) return {};
  std::vector<std::string> names{m[1]};
  int depth = 0;
  for (std::size_t i = static_cast<std::size_t>(m.length(0)); i < piece.size(); ++i) {
    const char c = piece[i];
    depth += c == '(' || c == '[' || c == '{' || c == '<' ? 1 : c == ')' || c == ']' || c == '}' || c == '>' ? -1 : 0;
    if (c != ',' || depth != 0) continue;
    std::size_t begin = piece.find_first_not_of(" \t\n&*", i + 1), end = begin;
    while (end < piece.size() && word(piece[end])) ++end;
    if (begin < end) names.push_back(piece.substr(begin, end - begin));
  }
  return names;
}

Piece classified(const std::string& text, int line, bool whole) {
  static const std::regex directive("#"), using_(R"(using\b)"), namespace_(R"((inline )?namespace\b)"),
      template_(R"(template\b)");
  static const std::regex alias(R"((?:using\s+(\w+)\s*=|namespace\s+(\w+)\s*=|typedef\b))");
  static const std::regex type(R"((?:typedef\s+)?(?:struct|class|enum(?: class| struct)?|union)\s*(\w*)\s*[:{;])");
  static const std::regex binding(R"((const\s+)?auto\s*[&]*\s*\[)"), control(R"((if|for|while|switch|do|try|\{))");
  std::smatch m;
  if (starts(text, directive)) return {Kind::directive, text, line, {}};
  if (starts(text, template_)) return {Kind::template_, text, line, {}};
  if (std::regex_search(text, m, alias, std::regex_constants::match_continuous))
    return {Kind::alias, text, line, {m[1].matched ? m[1] : m[2]}};
  if (starts(text, using_)) return {Kind::using_, text, line, {}};
  if (starts(text, namespace_)) return {Kind::namespace_, text, line, {}};
  if (std::regex_search(text, m, type, std::regex_constants::match_continuous)) return {Kind::type, text, line, {m[1]}};
  if (starts(text, binding)) return {Kind::binding, text, line, {}};
  if (!whole) return {Kind::expression, text, line, {}};
  if (starts(text, control)) return {Kind::statement, text, line, {}};
  if (text.back() == '}' && !head_of_function(text).empty()) return {Kind::function, text, line, {}};
  std::vector<std::string> names = declared(text);
  return {names.empty() ? Kind::statement : Kind::variable, text, line, names};
}

}  // namespace

std::string blanked(const std::string& code) {
  std::string out = code;
  const auto blank = [&](std::size_t from, std::size_t to, char by) {
    for (std::size_t i = from; i < std::min(to, out.size()); ++i)
      if (out[i] != '\n') out[i] = by;
  };
  for (std::size_t i = 0; i < code.size();) {
    std::size_t end = i + 1;
    if (code.compare(i, 2, "//") == 0) {
      blank(i, end = std::min(code.find('\n', i), code.size()), ' ');
    } else if (code.compare(i, 2, "/*") == 0) {
      const std::size_t close = code.find("*/", i + 2);
      blank(i, end = close == std::string::npos ? code.size() : close + 2, ' ');
    } else if (code.compare(i, 2, "R\"") == 0 && (i == 0 || !word(code[i - 1]))) {
      const std::size_t open = code.find('(', i);
      const std::string mark = open == std::string::npos ? "" : ")" + code.substr(i + 2, open - i - 2) + "\"";
      const std::size_t close = open == std::string::npos ? open : code.find(mark, open);
      blank(i, end = close == std::string::npos ? code.size() : close + mark.size(), '_');
    } else if (code[i] == '"' || (code[i] == '\'' && (i == 0 || !word(code[i - 1])))) {
      while (end < code.size() && code[end] != code[i] && code[end] != '\n') end += code[end] == '\\' ? 2 : 1;
      blank(i, ++end, '_');
    }
    i = end;
  }
  return out;
}

std::vector<Piece> pieces(const std::string& code) {
  const std::string bare = blanked(code);
  std::vector<Piece> found;
  std::size_t begin = 0;
  int depth = 0;
  const auto take = [&](std::size_t end, bool whole) {
    const std::string text = trimmed(bare.substr(begin, end - begin));
    const std::size_t first = bare.find_first_not_of(" \t\n", begin);
    if (!text.empty())
      found.push_back(
          classified(text, static_cast<int>(std::count(bare.begin(), bare.begin() + static_cast<long>(first), '\n')), whole));
    begin = end;
  };
  for (std::size_t i = 0; i < bare.size(); ++i) {
    const char c = bare[i];
    if (c == '#' && depth == 0 && trimmed(bare.substr(begin, i - begin)).empty()) {
      std::size_t end = bare.find('\n', i);
      while (end != std::string::npos && bare[end - 1] == '\\') end = bare.find('\n', end + 1);
      i = std::min(end, bare.size());
      take(i, true);
      continue;
    }
    if (c == '(' || c == '[' || c == '{') ++depth;
    if (c == ')' || c == ']' || c == '}') --depth;
    if (depth != 0 || (c != ';' && c != '}')) continue;
    const std::string piece = trimmed(bare.substr(begin, i + 1 - begin)), rest = bare.substr(i + 1);
    if (c == ';' ? !goes_on(piece, rest) : ends_with_brace(piece, rest)) take(i + 1, true);
  }
  take(bare.size(), false);
  return found;
}

std::vector<double> literals(const std::string& code, bool subscripts) {
  std::vector<double> found;
  int inside = 0;
  for (std::size_t i = 0; i < code.size();) {
    if (code[i] == '[') ++inside;
    if (code[i] == ']') --inside;
    const bool digit = std::isdigit(static_cast<unsigned char>(code[i])) != 0;
    const bool point = code[i] == '.' && i + 1 < code.size() && std::isdigit(static_cast<unsigned char>(code[i + 1])) != 0;
    if (word(code[i]) && !digit) {
      while (i < code.size() && word(code[i])) ++i;
      continue;
    }
    if (!digit && !point) {
      ++i;
      continue;
    }
    std::string number;
    std::size_t end = i;
    for (; end < code.size(); ++end) {
      const bool sign = (code[end] == '+' || code[end] == '-') && end > i && (code[end - 1] == 'e' || code[end - 1] == 'E');
      if (!word(code[end]) && code[end] != '.' && code[end] != '\'' && !sign) break;
      if (code[end] != '\'') number += code[end];
    }
    std::size_t before = i;
    while (before > 0 && space(code[before - 1])) --before;
    bool negative = false;
    if (before > 0 && code[before - 1] == '-') {
      std::size_t operand = before - 1;
      while (operand > 0 && space(code[operand - 1])) --operand;
      negative = operand == 0 || std::string("(,=<>{+*/&|?:;[").find(code[operand - 1]) != std::string::npos;
    }
    if (subscripts || inside == 0) found.push_back((negative ? -1 : 1) * std::strtod(number.c_str(), nullptr));
    i = end;
  }
  return found;
}

std::vector<Check> checks(const std::string& code) {
  static const std::regex call(R"((^|[^\w.>])check\s*\()");
  const std::string bare = blanked(code);
  std::vector<Check> found;
  for (std::sregex_iterator m(bare.begin(), bare.end(), call), end; m != end; ++m) {
    std::vector<std::string> arguments{""};
    std::size_t i = static_cast<std::size_t>(m->position() + m->length());
    for (int depth = 1; i < bare.size(); ++i) {
      depth += bare[i] == '(' || bare[i] == '[' || bare[i] == '{'   ? 1
               : bare[i] == ')' || bare[i] == ']' || bare[i] == '}' ? -1
                                                                    : 0;
      if (depth == 0) break;
      if (bare[i] == ',' && depth == 1) arguments.emplace_back();
      else arguments.back() += bare[i];
    }
    Check check;
    check.line = static_cast<int>(std::count(bare.begin(), bare.begin() + m->position(), '\n'));
    for (std::size_t a = arguments.size() == 2 ? 1 : 2; a < arguments.size(); ++a)
      for (double number : literals(arguments[a], false)) check.claims.push_back(number);
    static const std::regex plain(R"(\s*-?[\d.][\w.'+-]*\s*)");
    if (arguments.size() == 4 && std::regex_match(arguments[2], plain) && std::regex_match(arguments[3], plain))
      check.expected = literals(arguments[2])[0], check.allowed = literals(arguments[3])[0];
    found.push_back(check);
  }
  return found;
}

}  // namespace notebook
