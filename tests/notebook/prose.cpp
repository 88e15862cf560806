#include "tests/notebook/prose.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <regex>

#include "tests/rules.h"

namespace notebook {

namespace {

bool digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }
bool letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }  // ASCII: 有64个 has a number

void blank(std::string& text, std::size_t from, std::size_t to) {
  for (std::size_t i = from; i < std::min(to, text.size()); ++i)
    if (text[i] != '\n') text[i] = ' ';
}

/// Full-width digits and signs as the narrow ones, padded so that places stay.
std::string narrow(std::string text) {
  for (std::size_t i = 0; i + 2 < text.size(); ++i) {
    if (text[i] != '\xEF' || text[i + 1] != '\xBC') continue;
    const unsigned char last = static_cast<unsigned char>(text[i + 2]);
    if (last >= 0x90 && last <= 0x99)
      text[i] = '\x01', text[i + 1] = '\x01', text[i + 2] = static_cast<char>('0' + last - 0x90);
  }
  return text;
}

/// An exponent in superscript digits; its length in bytes is added to `end`.
bool superscript(const std::string& text, std::size_t& end, double& exponent) {
  static const std::vector<std::string> digits{"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  static const std::string minus = "⁻";
  std::size_t i = end;
  const bool negative = text.compare(i, minus.size(), minus) == 0;
  if (negative) i += minus.size();
  bool any = false, more = true;
  double value = 0;
  while (more) {
    more = false;
    for (std::size_t d = 0; d < digits.size() && !more; ++d)
      if (text.compare(i, digits[d].size(), digits[d]) == 0)
        value = 10 * value + static_cast<double>(d), i += digits[d].size(), any = more = true;
  }
  if (any) end = i, exponent = negative ? -value : value;
  return any;
}

/// "3·10⁻⁶" behind the 3.
double power_of_ten(const std::string& text, std::size_t& end) {
  for (const std::string times : {"·10", "×10", " · 10", " × 10"}) {
    if (text.compare(end, times.size(), times) != 0) continue;
    std::size_t i = end + times.size();
    double exponent = 0;
    if (superscript(text, i, exponent)) {
      end = i;
      return std::pow(10, exponent);
    }
  }
  return 1;
}

bool is_negative(const std::string& text, std::size_t first) {
  static const std::string minus = "−";
  if (first >= minus.size() && text.compare(first - minus.size(), minus.size(), minus) == 0) {
    if (first == minus.size()) return true;
    const char before = text[first - minus.size() - 1];
    return !letter(before) && !digit(before) && before != ')';
  }
  if (first == 0 || text[first - 1] != '-') return false;
  return first == 1 || std::string(" \n([=|").find(text[first - 2]) != std::string::npos;
}

}  // namespace

std::vector<Numeral> numerals(const std::string& given) {
  static const std::vector<std::pair<std::string, double>> units{{"%", 0.01}, {"％", 0.01}, {"million", 1e6}, {"billion", 1e9},
                                                                 {"万", 1e4}, {"亿", 1e8},  {"百万", 1e6}};
  const std::string text = narrow(given);
  std::vector<Numeral> found;
  for (std::size_t i = 0; i < text.size();) {
    if (!digit(text[i])) {
      ++i;
      continue;
    }
    // W1, GPT-2, layers.0 and the second half of 1.2.3 are no numbers of their own.
    const char before = i == 0 ? ' ' : text[i - 1], two = i < 2 ? ' ' : text[i - 2];
    const bool name = letter(before) || ((before == '-' || before == '.') && letter(two)) || (before == '.' && digit(two)) ||
                      (before == '+' && two == '+');  // C++17
    const std::size_t first = before == '.' && !name ? i - 1 : i;
    std::string number = first < i ? "0." : "";
    std::size_t end = i;
    const auto run = [&] {
      for (; end < text.size() && (digit(text[end]) || text[end] == '\x01'); ++end)
        if (text[end] != '\x01') number += text[end];
    };
    run();
    const auto group = [&] {  // ,456 and no fourth digit
      return end + 3 < text.size() && text[end] == ',' && digit(text[end + 1]) && digit(text[end + 2]) &&
             digit(text[end + 3]) && !(end + 4 < text.size() && digit(text[end + 4]));
    };
    if (end - i <= 3)
      while (group()) number += text.substr(end + 1, 3), end += 4;
    if (first == i && end + 1 < text.size() && text[end] == '.' && (digit(text[end + 1]) || text[end + 1] == '\x01'))
      number += '.', ++end, run();
    static const std::regex exponent("[eE][+-]?[0-9]+(?![0-9A-Za-z])");
    std::smatch m;
    const std::string rest = text.substr(end);
    if (std::regex_search(rest, m, exponent, std::regex_constants::match_continuous))
      number += m.str(), end += static_cast<std::size_t>(m.length());
    if (name) {
      i = end;
      continue;
    }
    double value = std::strtod(number.c_str(), nullptr), power = 0;
    if (superscript(text, end, power)) value = std::pow(value, power);
    else value *= power_of_ten(text, end);
    if (is_negative(text, first)) value = -value;
    std::vector<double> values{value};
    const std::size_t next = end < text.size() && text[end] == ' ' ? end + 1 : end;
    for (const auto& [unit, times] : units)
      if (text.compare(next, unit.size(), unit) == 0) values.push_back(value * times);
    found.push_back({given.substr(first, end - first), values, first});
    i = end;
  }
  return found;
}

std::vector<std::string> numbered_sections(const std::string& cell) {
  static const std::regex heading(R"(#+ (\d+(\.\d+)*)\.? .*)");
  std::vector<std::string> found;
  std::smatch m;
  for (const std::string& line : rules::lines(cell))
    if (std::regex_match(line, m, heading)) found.push_back(m[1]);
  return found;
}

namespace {

void each(const std::string& text, const std::regex& pattern, const std::function<void(const std::smatch&)>& act) {
  const std::string fixed = text;  // the text may be blanked meanwhile
  for (std::sregex_iterator m(fixed.begin(), fixed.end(), pattern), end; m != end; ++m) act(*m);
}
std::size_t from(const std::smatch& m, std::size_t group = 0) { return static_cast<std::size_t>(m.position(group)); }
std::size_t to(const std::smatch& m, std::size_t group = 0) {
  return from(m, group) + static_cast<std::size_t>(m.length(group));
}

void take_code(Prose& out) {
  std::string& text = out.claims;
  std::size_t at = 0;
  bool may_begin = true, block = false;  // four spaces after an empty line
  for (const std::string& line : rules::lines(text)) {
    const bool empty = line.find_first_not_of(' ') == std::string::npos;
    block = !empty && line.rfind("    ", 0) == 0 && (may_begin || block);
    if (block) out.spans.push_back(line), out.at.push_back(at);
    may_begin = empty;
    at += line.size() + 1;
  }
  for (std::size_t i = 0; i < out.spans.size(); ++i) blank(text, out.at[i], out.at[i] + out.spans[i].size());
  for (std::size_t i = 0; (i = text.find('`', i)) != std::string::npos;) {
    std::size_t ticks = 0;
    while (i + ticks < text.size() && text[i + ticks] == '`') ++ticks;
    const std::size_t close = text.find(std::string(ticks, '`'), i + ticks);
    if (close == std::string::npos) break;
    out.spans.push_back(text.substr(i + ticks, close - i - ticks)), out.at.push_back(i + ticks);
    blank(text, i, close + ticks);
    i = close + ticks;
  }
}

void free_links(std::string& text) {
  static const std::regex comment("<!--[^>]*-->|</?[a-zA-Z][^>]*>"), link(R"(\[([^\]]*)\]\(([^)]*)\))"),
      url(R"(https?://[^\s)）]+)");
  static const std::regex digits("[0-9]+");
  each(text, comment, [&](const std::smatch& m) { blank(text, from(m), to(m)); });
  each(text, link, [&](const std::smatch& m) {
    blank(text, from(m, 2), to(m, 2));
    const std::string label = m[1], target = m[2];
    each(label, digits, [&](const std::smatch& number) {
      if (target.find(number.str()) != std::string::npos) blank(text, from(m, 1) + from(number), from(m, 1) + to(number));
    });
  });
  each(text, url, [&](const std::smatch& m) { blank(text, from(m), to(m)); });
}

void free_citations(std::string& text) {
  static const std::string year = "((?:19|20)[0-9][0-9])(?![0-9])[a-z]?", name = "[A-Z][A-Za-z-]+";
  static const std::string authors = "(?:et al\\.?,?|等(?:人)?(?:，|,)?|" + name + " (?:and|&|和|与) " + name + ",?)\\s*";
  static const std::regex plain(authors + year), bracket(R"((?:\(|（)((?:(?!\(|（|\)|）)[^\n]|\n)*)(?:\)|）))");
  static const std::regex inside(authors + year + "|^" + name + ",?\\s+" + year + "|(?:;|；)\\s*" + name + ",?\\s+" + year),
      only("^\\s*" + year);
  static const std::regex authors_before("(?:" + authors + ")$"), arxiv("arXiv:\\s*[0-9.]+v?[0-9]*");
  each(text, bracket, [&](const std::smatch& m) {
    const std::string body = m[1], before = m.prefix().str();
    std::smatch first;
    const std::string tail = before.substr(before.size() - std::min<std::size_t>(before.size(), 60));
    if (std::regex_search(body, first, only) && std::regex_search(tail, authors_before)) blank(text, from(m, 1), to(m, 1));
    else if (std::regex_search(body, first, inside)) blank(text, from(m, 1) + from(first), to(m, 1));
  });
  each(text, plain, [&](const std::smatch& m) { blank(text, from(m, 1), to(m, 1)); });
  each(text, arxiv, [&](const std::smatch& m) { blank(text, from(m), to(m)); });
}

}  // namespace

Prose prose(const std::string& cell, const std::vector<std::string>& sections) {
  static const std::regex heading(R"((^|\n)#+ +[0-9]+(\.[0-9]+)*\.?(?= ))"), marker(R"((^|\n) *[0-9]+\.(?=\s))");
  static const std::regex section(R"([Ss]ections? ([0-9]+(?:\.[0-9]+)*)|第 ?([0-9]+(?:\.[0-9]+)*) ?节)");
  Prose out{cell, {}, {}};
  take_code(out);
  free_links(out.claims);
  each(out.claims, heading, [&](const std::smatch& m) { blank(out.claims, from(m), to(m)); });
  each(out.claims, marker, [&](const std::smatch& m) { blank(out.claims, from(m), to(m)); });
  each(out.claims, section, [&](const std::smatch& m) {
    const std::string number = m[1].matched ? m[1] : m[2];
    if (std::find(sections.begin(), sections.end(), number) != sections.end()) blank(out.claims, from(m), to(m));
  });
  free_citations(out.claims);
  return out;
}

}  // namespace notebook
