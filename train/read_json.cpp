// JSON as records: values are found by brackets and quotation marks, and parsed one at a time.
#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "train/inside/records.h"

namespace graft::train {
namespace {

using nlohmann::json;

const char* const known_fields[] = {"prompt", "completion", "messages", "text", "label"};

bool blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
std::size_t skip_blanks(const std::string& s, std::size_t at) {
  while (at < s.size() && blank(s[at])) ++at;
  return at;
}

std::string::const_iterator at_byte(const std::string& s, std::size_t at) {
  return s.begin() + static_cast<std::ptrdiff_t>(std::min(at, s.size()));
}

/// The end of the value that begins at `at`, judged by brackets and strings; parsing it shows whether it is one.
std::size_t end_of_value(const std::string& s, std::size_t at) {
  std::size_t depth = 0;
  bool quoted = false;
  for (; at < s.size(); ++at) {
    const char c = s[at];
    if (quoted) {
      if (c == '\\') ++at;
      else if (c == '"') quoted = false;
      if (!quoted && depth == 0) return std::min(at + 1, s.size());
      continue;
    }
    if (c == '"') quoted = true;
    else if (c == '{' || c == '[') ++depth;
    else if (c == '}' || c == ']') {
      if (depth == 0) return at;
      if (--depth == 0) return at + 1;
    } else if (depth == 0 && (c == ',' || blank(c))) return at;
  }
  return s.size();
}

/// "line 3, column 17", counted in characters.
std::string place(const std::string& content, std::size_t at) {
  const std::size_t before = at == 0 ? std::string::npos : content.rfind('\n', at - 1);
  const std::size_t first = before == std::string::npos ? 0 : before + 1;
  const auto column = std::count_if(at_byte(content, first), at_byte(content, at),
                                    [](char c) { return (c & 0xc0) != 0x80; });
  return text("line ", line_at(content, at), ", column ", column + 1);
}

/// Why the parser stopped at byte `at`, and what to do, in the user's words where the mistake is a common one.
std::string reason(const std::string& content, std::size_t at, const std::string& said) {
  const auto letter = [&](std::size_t i) {
    return std::isalnum(static_cast<unsigned char>(content[i])) || content[i] == '-' || content[i] == '+';
  };
  std::size_t begin = at, end = at;
  while (begin > 0 && letter(begin - 1)) --begin;
  while (end < content.size() && letter(end)) ++end;
  const std::string word = content.substr(begin, std::min<std::size_t>(end - begin, 20));
  for (const char* one : {"NaN", "nan", "Infinity", "-Infinity", "inf", "-inf"})
    if (word == one) return word + " is not a JSON number; write null, or leave the field out";
  for (const char* one : {"None", "True", "False"})
    if (word == one) return word + " is Python's; JSON has null, true and false (json.dumps writes them)";
  if (at < content.size() && content[at] == '\'') return "JSON strings need double quotes, not single ones";
  if (said.find("surrogate") != std::string::npos)
    return "\\u with D800 to DFFF is one half of a character, and its other half is missing; write both, as in "
           "\\ud83d\\ude00, or the character itself";
  // The library's own words, without what repeats the place and the text.
  std::string why = said.substr(0, said.find("; last read"));
  for (const char* lead : {"syntax error while parsing ", "parse error: "})
    if (const std::size_t from = why.find(lead); from != std::string::npos) why = why.substr(from);
  if (const std::size_t dash = why.find(" - "); dash != std::string::npos) why = why.substr(dash + 3);
  return why.substr(0, 200);
}

/// The value that is content[begin, end).
json parsed(const std::string& content, std::size_t begin, std::size_t end, const std::string& path) {
  try {
    return json::parse(at_byte(content, begin), at_byte(content, end));
  } catch (const json::parse_error& error) {
    const std::size_t at = std::min(end, begin + (error.byte > 0 ? error.byte - 1 : 0));
    throw FormatError(text(path, ", ", place(content, at), ": this is not valid JSON: ", reason(content, at, error.what())));
  } catch (const json::exception& error) {  // a number that does not fit a double
    throw FormatError(text(path, ", ", place(content, begin), ": ", reason(content, begin, error.what())));
  }
}

Field field(const json& value) {
  const bool number = value.is_number_integer();
  return {value.type_name(), value.is_string() || number,
          value.is_string() ? value.get<std::string>()
          : number          ? value.dump()
                            : std::string()};
}

Record record(const json& object, const Line& line) {
  line.require(object.is_object(), "this is ", object.type_name(), "; expected one like ", expected_fields);
  Record one{line.number, {}, {}, {}};
  for (const auto& item : object.items()) one.names.push_back(item.key());
  for (const char* key : known_fields)
    if (const auto found = object.find(key); found != object.end()) one.fields.emplace(key, field(*found));
  const auto known = [](const json& value) {  // an example of its own
    return value.is_object() && std::any_of(std::begin(known_fields), std::end(known_fields),
                                            [&](const char* key) { return value.contains(key); });
  };
  if (one.fields.empty())
    for (const auto& [key, value] : object.items())
      line.require(!value.is_array() || value.empty() || !known(value[0]), "the examples are inside \"",
                   key.substr(0, 40), "\"; write that list alone into the file");
  const auto list = object.find("messages");
  if (list == object.end()) return one;
  line.require(list->is_array() && !list->empty(), R"("messages" must be a list of {"role": .., "content": ..})");
  for (const json& item : *list) {
    line.require(item.is_object(), R"("messages" must be a list of {"role": .., "content": ..})");
    one.messages.emplace_back();
    for (const char* key : {"role", "content"})
      if (const auto found = item.find(key); found != item.end()) one.messages.back().emplace(key, field(*found));
  }
  return one;
}

/// [{..}, {..}] that begins at `at`.
void each_of_list(const std::string& content, std::size_t at, const std::string& path, const Take& take) {
  const auto wrong = [&](std::size_t where, const char* what) {
    throw FormatError(text(path, ", ", place(content, where), ": this is not valid JSON: ", what));
  };
  std::size_t line = 1, counted = 0;  // the line of byte `counted`
  at = skip_blanks(content, at + 1);
  for (bool first = true; at >= content.size() || content[at] != ']'; first = false) {
    if (at >= content.size()) wrong(at, "the list does not end, a ] is missing; was the file cut off?");
    if (!first && content[at] != ',') wrong(at, "a comma or a ] is expected after an example of a list");
    if (!first) at = skip_blanks(content, at + 1);
    const std::size_t end = end_of_value(content, at);
    line += static_cast<std::size_t>(std::count(at_byte(content, counted), at_byte(content, at), '\n'));
    counted = at;
    take(record(parsed(content, at, end, path), Line{path, line}));
    at = skip_blanks(content, end);
  }
  at = skip_blanks(content, at + 1);
  if (at < content.size()) wrong(at, "there is text after the list's ]");
}

}  // namespace

void each_json(const std::string& content, const std::string& path, const Take& take) {
  std::size_t at = skip_blanks(content, 0);
  if (at >= content.size()) return;
  if (content[at] == '[') return each_of_list(content, at, path, take);
  // On a line each if the first one is: then a truncated line is reported as such, not as what follows it.
  const bool lines = end_of_value(content, at) <= std::min(content.find('\n', at), content.size());
  std::size_t line = 1, counted = 0;
  while (at < content.size()) {
    const std::size_t end =
        lines ? std::min(content.find('\n', at), content.size()) : std::max(at + 1, end_of_value(content, at));
    line += static_cast<std::size_t>(std::count(at_byte(content, counted), at_byte(content, at), '\n'));
    counted = at;
    take(record(parsed(content, at, end, path), Line{path, line}));
    at = skip_blanks(content, end);
  }
}

bool looks_like_records(const std::string& content) {
  std::size_t at = skip_blanks(content, 0);
  if (at < content.size() && content[at] == '[') at = skip_blanks(content, at + 1);
  if (at >= content.size() || content[at] != '{') return false;
  const json first = json::parse(at_byte(content, at), at_byte(content, end_of_value(content, at)), nullptr, false);
  return first.is_object() && ((first.contains("prompt") && first.contains("completion")) || first.contains("messages") ||
                               first.contains("text"));
}

}  // namespace graft::train
