// A Jinja template as a list of steps: what it writes, and its statements. ChatML is one of a few such lists, up to the text of
// a system turn and the name of the loop variable.
#include <optional>

#include "tokenizer/chat.h"

namespace graft {
namespace {

/// A text to write; or an expression or statement without spaces, with "x['y']" as "x.y" and strings in '..'.
struct Step {
  bool text = false;
  std::string words;
};
using Steps = std::vector<Step>;

constexpr std::size_t longest = 1 << 16;  // longer templates are not examined

bool word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }
bool blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// A part of an expression: a name, an operator, or a string.
struct Piece {
  bool text;
  std::string is;
};

/// None for an unterminated string, or an escape other than \n, \t, quotes and the backslash.
std::optional<std::vector<Piece>> pieces(std::string_view code) {
  std::vector<Piece> all;
  for (std::size_t i = 0; i < code.size();) {
    const char c = code[i];
    if (blank(c)) {
      ++i;
    } else if (c == '\'' || c == '"') {
      std::string content;
      for (++i; i < code.size() && code[i] != c; ++i) {
        if (code[i] != '\\') {
          content += code[i];
          continue;
        }
        if (++i == code.size()) return {};
        if (code[i] == 'n') content += '\n';
        else if (code[i] == 't') content += '\t';
        else if (code[i] == '\\' || code[i] == '\'' || code[i] == '"') content += code[i];
        else return {};
      }
      if (i++ == code.size()) return {};
      all.push_back({true, content});
    } else if (word(c)) {
      const std::size_t begin = i;
      while (i < code.size() && word(code[i])) ++i;
      all.push_back({false, std::string(code.substr(begin, i - begin))});
    } else {
      const std::size_t signs = code.substr(i, 2) == "!=" || code.substr(i, 2) == "==" ? 2 : 1;
      all.push_back({false, std::string(code.substr(i, signs))});
      i += signs;
    }
  }
  return all;
}

/// [ 'role' ] after a name becomes .role
std::string spelled(const std::vector<Piece>& all, std::size_t from, std::size_t to) {
  std::string out;
  for (std::size_t i = from; i < to; ++i) {
    const bool member = !out.empty() && i + 2 < to && !all[i].text && all[i].is == "[" && all[i + 1].text && !all[i + 2].text &&
                        all[i + 2].is == "]";
    if (member) {
      out += "." + all[i + 1].is;
      i += 2;
    } else {
      const bool apart = !out.empty() && word(out.back()) && !all[i].text && word(all[i].is[0]);
      out += (apart ? " " : "") + (all[i].text ? "'" + all[i].is + "'" : all[i].is);
    }
  }
  return out;
}

void write(Steps& steps, const std::string& text) {
  if (text.empty()) return;
  if (!steps.empty() && steps.back().text) steps.back().words += text;
  else steps.push_back({true, text});
}

/// {{ a + 'b' + c }} is three steps.
bool add_expression(Steps& steps, std::string_view code) {
  const auto all = pieces(code);
  if (!all || all->empty()) return false;
  for (std::size_t i = 0, from = 0; i <= all->size(); ++i) {
    const bool end = i == all->size() || (!(*all)[i].text && ((*all)[i].is == "+" || (*all)[i].is == "~"));
    if (!end) continue;
    if (i == from) return false;
    if (i == from + 1 && (*all)[from].text) write(steps, (*all)[from].is);
    else steps.push_back({false, spelled(*all, from, i)});
    from = i + 1;
  }
  return true;
}

/// With Jinja configured as in transformers: no line break after a statement, no spaces before one that begins a line.
std::optional<Steps> steps_of(std::string_view source) {
  Steps steps;
  bool strip = false, trim = false;  // what the previous block does to the text after it
  if (!source.empty() && source.back() == '\n') source.remove_suffix(1);
  for (std::size_t at = 0;;) {
    std::size_t open = at;
    while (open + 1 < source.size() &&
           !(source[open] == '{' && (source[open + 1] == '{' || source[open + 1] == '%' || source[open + 1] == '#')))
      ++open;
    const bool last = open + 1 >= source.size();
    std::string text(source.substr(at, last ? std::string_view::npos : open - at));
    const bool broken = trim && !text.empty() && text[0] == '\n';
    if (broken) text.erase(0, 1);
    if (strip) text.erase(0, text.find_first_not_of(" \t\r\n"));
    if (last) {
      write(steps, text);
      return steps;
    }
    const char kind = source[open + 1];
    if (kind == '#') return {};
    const bool before = open + 2 < source.size() && source[open + 2] == '-';
    if (before) {
      while (!text.empty() && blank(text.back())) text.pop_back();
    } else if (kind == '%') {
      const std::size_t line = text.find_last_not_of(" \t");
      if (line == std::string::npos ? (at == 0 || broken) : text[line] == '\n') text.erase(line + 1);
    }
    write(steps, text);
    const std::string close = kind == '{' ? "}}" : "%}";
    std::size_t end = open + 2 + (before ? 1 : 0);
    const std::size_t begin = end;
    for (char quote = 0; end < source.size() && (quote != 0 || source.substr(end, 2) != close); ++end) {
      if (quote != 0 && source[end] == '\\') ++end;
      else if (quote != 0 && source[end] == quote) quote = 0;
      else if (quote == 0 && (source[end] == '\'' || source[end] == '"')) quote = source[end];
    }
    if (end >= source.size()) return {};
    strip = end > begin && source[end - 1] == '-', trim = kind == '%';
    const std::string_view code = source.substr(begin, end - begin - (strip ? 1 : 0));
    if (kind == '{') {
      if (!add_expression(steps, code)) return {};
    } else {
      const auto all = pieces(code);
      if (!all) return {};
      steps.push_back({false, spelled(*all, 0, all->size())});
    }
    at = end + 2;
  }
}

/// Walks the steps as long as they are as expected.
struct Reader {
  const Steps& steps;
  std::size_t at = 0;
  bool is(const std::string& words) {
    const bool yes = at < steps.size() && !steps[at].text && steps[at].words == words;
    at += yes ? 1 : 0;
    return yes;
  }
  bool says(const std::string& text) {
    const bool yes = at < steps.size() && steps[at].text && steps[at].words == text;
    at += yes ? 1 : 0;
    return yes;
  }
};

/// Reads <|im_start|>system\nTEXT<|im_end|>\n and returns TEXT.
std::optional<std::string> system_turn(Reader& r) {
  const std::string begin = "<|im_start|>system\n", end = "<|im_end|>\n";
  if (r.at == r.steps.size() || !r.steps[r.at].text) return {};
  const std::string& all = r.steps[r.at].words;
  if (all.size() <= begin.size() + end.size() || all.compare(0, begin.size(), begin) != 0 ||
      all.compare(all.size() - end.size(), end.size(), end) != 0)
    return {};
  const std::string text = all.substr(begin.size(), all.size() - begin.size() - end.size());
  if (text.find("<|im_") != std::string::npos) return {};
  ++r.at;
  return text;
}

}  // namespace

ChatStyle chat_style(std::string_view chat_template) {
  if (chat_template.empty()) return {};
  const ChatStyle other{ChatStyle::Kind::other, ""};
  if (chat_template.size() > longest) return other;
  const std::optional<Steps> steps = steps_of(chat_template);
  if (!steps) return other;
  Reader r{*steps};
  ChatStyle style{ChatStyle::Kind::chatml, ""};
  if (r.is("if not add_generation_prompt is defined")) {
    if (!r.is("set add_generation_prompt=false") || !r.is("endif")) return other;
  }
  std::string name;
  for (const char* one : {"message", "m", "msg"})
    if (name.empty() && r.is(std::string("for ") + one + " in messages")) name = one;
  if (name.empty()) return other;
  if (r.is("if loop.first and messages[0].role!='system'") || r.is("if loop.first and " + name + ".role!='system'")) {
    const std::optional<std::string> text = system_turn(r);
    if (!text || !r.is("endif")) return other;
    style.default_system = *text;
  }
  const bool turn = r.says("<|im_start|>") && r.is(name + ".role") && r.says("\n") && r.is(name + ".content") &&
                    r.says("<|im_end|>\n") && r.is("endfor");
  const bool answer = turn && r.is("if add_generation_prompt") && r.says("<|im_start|>assistant\n") && r.is("endif");
  return answer && r.at == steps->size() ? style : other;
}

}  // namespace graft
