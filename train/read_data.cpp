// Files of examples. Every error in a line names the file, the line and what was expected there.
#include <algorithm>
#include <functional>
#include <iterator>
#include <set>

#include "autograd/errors.h"
#include "autograd/sizes.h"
#include "formats/file.h"
#include "tokenizer/chat.h"
#include "train/data.h"
#include "train/inside/records.h"

namespace graft::train {
namespace {

/// "a", "b", and of long names the beginning, in whole characters.
std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t most = 10, longest = 40;
  std::string all;
  for (std::size_t i = 0; i < std::min(names.size(), most); ++i) {
    std::size_t end = std::min(names[i].size(), longest);
    while (end > 0 && end < names[i].size() && (names[i][end] & 0xc0) == 0x80) --end;
    all += (all.empty() ? "\"" : ", \"") + names[i].substr(0, end) + "\"";
  }
  return all + (names.size() > most ? ", .." : "");
}

/// What a message adds when a field has another name.
std::string but_here(const std::vector<std::string>& names) {
  if (names.empty()) return "";
  return (names.size() == 1 ? "; here the only field is " : "; here the fields are ") + listed(names);
}

/// The string that a record, or a message of it, has under the key. names: of the record's fields.
const std::string& string_in(const Fields& fields, const char* key, const Line& line,
                             const std::vector<std::string>& names = {}) {
  const auto found = fields.find(key);
  if (found == fields.end())
    line.require(false, "there is no \"", key, "\"; expected one like ", expected_fields, but_here(names));
  const std::string type = found->second.type;
  line.require(type == "string", "\"", key, "\" is ", type, ", but a string is expected",
               type == "array" ? "; expected an object for each example (pandas: to_json(.., orient=\"records\"))" : "");
  return found->second.text;
}

Dataset::Kind kind_of(const Record& record, const Line& line) {
  const Fields& fields = record.fields;
  if (fields.count("prompt") || fields.count("completion")) return Dataset::Kind::completion;
  if (fields.count("messages")) return Dataset::Kind::chat;
  if (fields.count("text") == 0) line.require(false, "expected one like ", expected_fields, but_here(record.names));
  return fields.count("label") ? Dataset::Kind::labelled : Dataset::Kind::text;
}

/// The fields that an example of this kind does not have.
std::string unread(const Record& record, Dataset::Kind kind) {
  std::set<std::string> read{"text"};
  if (kind == Dataset::Kind::completion) read = {"prompt", "completion"};
  if (kind == Dataset::Kind::chat) read = {"messages"};
  if (kind == Dataset::Kind::labelled) read.insert("label");
  std::vector<std::string> others;
  std::copy_if(record.names.begin(), record.names.end(), std::back_inserter(others),
               [&](const std::string& name) { return read.count(name) == 0; });
  return listed(others);
}

/// Appends ids, scored or not.
void say(Example& example, const std::vector<Id>& ids, bool scored) {
  example.ids.insert(example.ids.end(), ids.begin(), ids.end());
  if (scored) example.labels.insert(example.labels.end(), ids.begin(), ids.end());
  else example.labels.insert(example.labels.end(), ids.size(), ignored);
}

Example completion(const Record& record, const Tokenizer& tokenizer, const ReadOptions& options, const Line& line) {
  Example example;
  example.prompt = string_in(record.fields, "prompt", line, record.names);
  example.reference = string_in(record.fields, "completion", line, record.names);
  line.require(!example.reference.empty() || options.end >= 0, "\"completion\" is empty; there is nothing to learn");
  say(example, options.begin, false);
  say(example, tokenizer.encode(example.prompt), false);
  example.answer = size_of(example.ids);
  say(example, tokenizer.encode(example.reference), true);
  if (options.end >= 0) say(example, {options.end}, true);
  line.require(!example.labels.empty() && example.labels.back() != ignored,
               "\"completion\" gives no tokens; there is nothing to learn");
  line.require(example.ids.size() > 1, "\"prompt\" is empty and \"completion\" a single token, which cannot be predicted");
  return example;
}

/// Text that is an example of its own.
Example whole(const std::string& words, const Tokenizer& tokenizer, const ReadOptions& options, const Line& line) {
  Example example;
  example.prompt = words;
  say(example, options.begin, true);
  say(example, tokenizer.encode(words), true);
  if (options.end >= 0) say(example, {options.end}, true);
  line.require(example.ids.size() > 1, "the text gives ", example.ids.empty() ? "no tokens" : "a single token",
               ", so there is nothing to predict; leave it out, or join it with another");
  return example;
}

Example chat(const Record& record, const Tokenizer& tokenizer, const ReadOptions& options, const Line& line) {
  Example example;
  bool answered = false;
  // Turns are encoded apart, for no token reaches over a marker: so a chat of many turns takes time in proportion.
  const std::vector<Id> opened = chatml(tokenizer, {}, true);  // <|im_start|>assistant\n
  for (const Fields& item : record.messages) {
    const std::string& role = string_in(item, "role", line);
    if (example.ids.empty() && role != "system" && !options.system.empty())
      say(example, chatml(tokenizer, {{"system", options.system}}, false), false);
    line.require(role == "system" || role == "user" || role == "assistant", "the role \"", role,
                 "\" is not system, user or assistant");
    const std::string& content = string_in(item, "content", line);
    const std::vector<Id> turn = chatml(tokenizer, {{role, content}}, false);
    const std::size_t before = example.ids.size();
    say(example, turn, false);
    if (role != "assistant") continue;
    if (!answered) example.reference = content;
    answered = true;
    const auto same =  // what the template says; usually all of `opened`
        std::mismatch(opened.begin(), opened.end(), turn.begin(), turn.end()).first - opened.begin();
    const auto end = std::find(turn.rbegin(), turn.rend(), tokenizer.id("<|im_end|>")).base() - turn.begin();
    example.answer = static_cast<Index>(before) + same;
    std::copy(turn.begin() + same, turn.begin() + end, example.labels.begin() + static_cast<std::ptrdiff_t>(before) + same);
  }
  line.require(answered, "the assistant has no message; there is nothing to learn");
  example.prompt = record.messages.front().at("content").text;
  return example;
}

Example labelled(const Fields& fields, const Tokenizer& tokenizer, const ReadOptions& options, const Line& line) {
  Example example;
  example.prompt = string_in(fields, "text", line);
  const Field& label = fields.at("label");
  line.require(label.word, "\"label\" is ", label.type, ", but a string or a whole number is expected");
  example.reference = label.text;
  line.require(!example.reference.empty(), "\"label\" is empty");
  const auto control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  line.require(std::none_of(example.reference.begin(), example.reference.end(), control),
               "\"label\" holds a line break, a tab or another control character");
  say(example, options.begin, false);
  say(example, tokenizer.encode(example.prompt), false);
  line.require(!example.ids.empty(), "\"text\" gives no tokens");
  return example;
}

using TakeLine = std::function<void(const std::string& words, const Line& line)>;

/// The lines of a text that are not blank.
void each_line(const std::string& content, const std::string& path, const TakeLine& take) {
  std::size_t number = 0;
  for (std::size_t at = 0; at < content.size();) {
    const std::size_t end = std::min(content.find('\n', at), content.size());
    std::string words = content.substr(at, end - at);
    if (!words.empty() && words.back() == '\r') words.pop_back();
    ++number, at = end + 1;
    if (words.find_first_not_of(" \t\r") != std::string::npos) take(words, Line{path, number});
  }
}

void each_record(const std::string& path, const Take& take) {
  const Format format = format_of(path);
  const std::string content = as_utf8(formats::read_text(path), path);
  if (format == Format::json) each_json(content, path, take);
  else each_row(content, path, format == Format::csv ? ',' : '\t', take);
}

/// Examples that are too long are counted, and cut or refused. Returns how many were cut.
Index fit(std::vector<Example>& examples, const std::vector<std::size_t>& at, const ReadOptions& options,
          const std::string& path) {
  const std::size_t room = options.longest > 0 ? static_cast<std::size_t>(options.longest) : ~std::size_t(0);
  Index longer = 0;
  std::size_t longest = 0, where = 0;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    const std::size_t n = examples[i].ids.size();
    if (n <= room) continue;
    ++longer;
    if (n > longest) longest = n, where = at[i];
    if (!options.cut) continue;
    examples[i].ids.resize(room);
    if (!examples[i].labels.empty()) examples[i].labels.resize(room);
  }
  expect<ValueError>(options.cut || longer == 0, path, ": ", longer, " of ", examples.size(), " examples are longer than the ",
                     room, " tokens that fit; the longest, in line ", where, ", has ", longest,
                     ". Make them shorter, or cut them with --cut");
  return longer;
}

}  // namespace

bool holds_records(const std::string& path) { return format_of(path) != Format::text; }

std::string plain_text(std::string content, const std::string& path) {
  content = as_utf8(std::move(content), path);
  expect<FormatError>(!looks_like_records(content), path, " holds JSON, which would be read as plain text; give ",
                      "it a name that ends in .jsonl. If the braces are meant, put each piece into {\"text\": \"..\"} there");
  return content;
}

std::vector<std::string> lines_of(const std::string& content) {
  std::vector<std::string> all;
  each_line(content, "", [&](const std::string& words, const Line&) { all.push_back(words); });
  return all;
}

std::vector<std::string> read_texts(const std::string& path) {
  if (!holds_records(path)) return lines_of(plain_text(formats::read_text(path), path));
  std::vector<std::string> all;
  each_record(path, [&](const Record& one) {
    all.push_back(string_in(one.fields, "text", Line{path, one.line}, one.names));
  });
  return all;
}

Dataset read_dataset(const std::string& path, const Tokenizer& tokenizer, const ReadOptions& options) {
  Dataset data;
  std::vector<std::size_t> at;  // the line of each example
  if (holds_records(path)) {
    each_record(path, [&](const Record& record) {
      const Line line{path, record.line};
      const Dataset::Kind kind = kind_of(record, line);
      if (data.examples.empty()) data.kind = kind, data.unread = unread(record, kind);
      line.require(kind == data.kind, "this is one of ", name(kind), ", but the lines before are ", name(data.kind),
                   "; one file holds one kind");
      at.push_back(record.line);
      data.examples.push_back(kind == Dataset::Kind::completion ? completion(record, tokenizer, options, line)
                              : kind == Dataset::Kind::chat     ? chat(record, tokenizer, options, line)
                              : kind == Dataset::Kind::labelled
                                  ? labelled(record.fields, tokenizer, options, line)
                                  : whole(string_in(record.fields, "text", line), tokenizer, options, line));
    });
    expect<FormatError>(!data.examples.empty(), path, ": the file is empty; expected examples like ", expected_fields);
  } else {
    const std::string all = plain_text(formats::read_text(path), path);
    if (options.by_line) {
      each_line(all, path, [&](const std::string& words, const Line& line) {
        at.push_back(line.number);
        data.examples.push_back(whole(words, tokenizer, options, line));
      });
      expect<FormatError>(!data.examples.empty(), path, ": the file is empty; expected lines of text");
    } else {
      std::vector<Id> ids = options.begin;
      const std::vector<Id> body = tokenizer.encode(all);
      ids.insert(ids.end(), body.begin(), body.end());
      if (options.end >= 0 && !body.empty()) ids.push_back(options.end);
      expect<FormatError>(!body.empty() && ids.size() > 1, path,
                          ": the file is empty, or gives a single token; there is nothing to learn");
      const std::size_t window = options.longest > 0 ? static_cast<std::size_t>(options.longest) : ids.size();
      for (std::size_t begin = 0; begin + 1 < ids.size(); begin += window) {
        Example example;
        example.ids.assign(ids.begin() + static_cast<std::ptrdiff_t>(begin),
                           ids.begin() + static_cast<std::ptrdiff_t>(std::min(ids.size(), begin + window)));
        data.examples.push_back(std::move(example));
        at.push_back(1);
      }
    }
  }
  data.cut = fit(data.examples, at, options, path);
  for (std::size_t i = 0; i < data.examples.size(); ++i) {
    const Example& example = data.examples[i];
    const bool learned = example.labels.empty() || std::any_of(example.labels.begin() + 1, example.labels.end(),
                                                               [](Id label) { return label != ignored; });
    Line{path, at[i]}.require(learned || data.kind == Dataset::Kind::labelled, "cut to ", options.longest,
                              " tokens, nothing to learn is left; the prompt is too long");
  }
  if (data.kind != Dataset::Kind::labelled) return data;

  std::set<std::string> occurring;
  for (const Example& example : data.examples) occurring.insert(example.reference);
  data.labels = options.labels.empty() ? std::vector<std::string>(occurring.begin(), occurring.end()) : options.labels;
  std::string known;
  for (const std::string& label : data.labels) known += (known.empty() ? "\"" : ", \"") + label + "\"";
  for (std::size_t i = 0; i < data.examples.size(); ++i) {
    const auto found = std::find(data.labels.begin(), data.labels.end(), data.examples[i].reference);
    Line{path, at[i]}.require(found != data.labels.end(), "the label \"", data.examples[i].reference,
                              "\" is not among those that are known: ", known);
    data.examples[i].label = found - data.labels.begin();
  }
  return data;
}

}  // namespace graft::train
