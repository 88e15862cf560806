// Files of examples. Every complaint about a line names the file, the line and what was expected there.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "autograd/errors.h"
#include "formats/file.h"
#include "tokenizer/chat.h"
#include "train/data.h"

namespace graft::train {
namespace {

using nlohmann::json;

const char* const kinds_of_lines = R"({"prompt": .., "completion": ..}, {"messages": [..]} or {"text": .., "label": ..})";

struct Line {
  const std::string& path;
  std::size_t number;
  template <class... Parts>
  void require(bool ok, const Parts&... parts) const {
    expect<FormatError>(ok, path, ", line ", number, ": ", parts...);
  }
};

std::string string_in(const json& object, const char* key, const Line& line) {
  const auto found = object.find(key);
  line.require(found != object.end(), "there is no \"", key, "\"; expected is a line like ", kinds_of_lines);
  line.require(found->is_string(), "\"", key, "\" is ", found->type_name(), ", but a string is expected");
  return found->get<std::string>();
}

Dataset::Kind kind_of(const json& object, const Line& line) {
  if (object.contains("prompt") || object.contains("completion")) return Dataset::Kind::completion;
  if (object.contains("messages")) return Dataset::Kind::chat;
  line.require(object.contains("text"), "expected is a line like ", kinds_of_lines);
  line.require(object.contains("label"), "there is no \"label\" beside \"text\"; plain text to go on with belongs into a ",
               "file that does not end in .jsonl");
  return Dataset::Kind::labelled;
}

/// Appends ids, scored or not.
void say(Example& example, const std::vector<Id>& ids, bool scored) {
  example.ids.insert(example.ids.end(), ids.begin(), ids.end());
  if (scored) example.labels.insert(example.labels.end(), ids.begin(), ids.end());
  else example.labels.insert(example.labels.end(), ids.size(), ignored);
}

Example completion(const json& object, const Tokenizer& tokenizer, const ReadOptions& options, const Line& line) {
  Example example;
  example.prompt = string_in(object, "prompt", line), example.reference = string_in(object, "completion", line);
  say(example, tokenizer.encode(example.prompt), false);
  say(example, tokenizer.encode(example.reference), true);
  if (options.end >= 0) say(example, {options.end}, true);
  const bool learned = example.labels.back() != ignored;
  line.require(learned && example.ids.size() > 1, "\"completion\" is empty; there is nothing to learn");
  return example;
}

Example chat(const json& object, const Tokenizer& tokenizer, const Line& line) {
  const json& list = object["messages"];
  line.require(list.is_array() && !list.empty(), R"("messages" must be a list of {"role": .., "content": ..})");
  std::vector<Message> messages;
  Example example;
  bool answered = false;
  for (const json& item : list) {
    line.require(item.is_object(), R"("messages" must be a list of {"role": .., "content": ..})");
    const std::string role = string_in(item, "role", line);
    line.require(role == "system" || role == "user" || role == "assistant", "the role \"", role,
                 "\" is not one of system, user, assistant");
    const std::vector<Id> opened = chatml(tokenizer, messages, true);  // ... <|im_start|>assistant\n
    messages.push_back({role, string_in(item, "content", line)});
    if (role == "assistant" && !answered) example.reference = messages.back().content;
    const std::vector<Id> closed = chatml(tokenizer, messages, false);
    const std::size_t before = example.ids.size();
    say(example, {closed.begin() + static_cast<std::ptrdiff_t>(before), closed.end()}, false);
    if (role != "assistant") continue;
    answered = true;
    const std::size_t same =  // what the template says; usually all of `opened`
        static_cast<std::size_t>(std::mismatch(opened.begin(), opened.end(), closed.begin(), closed.end()).first -
                                 opened.begin());
    const auto end = std::find(closed.rbegin(), closed.rend(), tokenizer.id("<|im_end|>")).base() - closed.begin();
    for (std::size_t i = same; i < static_cast<std::size_t>(end); ++i) example.labels[i] = closed[i];
  }
  line.require(answered, "no message is the assistant's; there is nothing to learn");
  example.prompt = messages.front().content;
  return example;
}

Example labelled(const json& object, const Tokenizer& tokenizer, const Line& line) {
  Example example;
  example.prompt = string_in(object, "text", line);
  const json& label = object["label"];
  line.require(label.is_string() || label.is_number_integer(), "\"label\" is ", label.type_name(),
               ", but a string or a whole number is expected");
  example.reference = label.is_string() ? label.get<std::string>() : label.dump();
  line.require(!example.reference.empty(), "\"label\" is empty");
  const auto control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  line.require(std::none_of(example.reference.begin(), example.reference.end(), control),
               "\"label\" holds a line break, a tab or another control character");
  say(example, tokenizer.encode(example.prompt), true);
  line.require(!example.ids.empty(), "\"text\" gives no tokens");
  return example;
}

std::vector<std::string> lines_of(const std::string& all) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t end = std::min(all.find('\n', at), all.size());
    lines.push_back(all.substr(at, end - at));
    if (!lines.back().empty() && lines.back().back() == '\r') lines.back().pop_back();
    at = end + 1;
  }
  return lines;
}

bool blank(const std::string& line) { return line.find_first_not_of(" \t\r") == std::string::npos; }

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
                     room, " tokens that there is room for; the longest, in line ", where, ", has ", longest,
                     ". Make them shorter, or have them cut (--cut)");
  return longer;
}

}  // namespace

Dataset read_dataset(const std::string& path, const Tokenizer& tokenizer, const ReadOptions& options) {
  const std::string all = formats::read_text(path);
  const bool json_lines = path.size() > 6 && path.compare(path.size() - 6, 6, ".jsonl") == 0;
  Dataset data;
  std::vector<std::size_t> at;  // the line of each example
  if (json_lines || options.by_line) {
    const std::vector<std::string> lines = lines_of(all);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (blank(lines[i])) continue;
      const Line line{path, i + 1};
      at.push_back(i + 1);
      if (!json_lines) {
        Example example;
        example.prompt = lines[i];
        say(example, tokenizer.encode(lines[i]), true);
        if (options.end >= 0) say(example, {options.end}, true);
        data.examples.push_back(std::move(example));
        continue;
      }
      const json object = json::parse(lines[i], nullptr, false);
      line.require(!object.is_discarded(), "this is no JSON; expected is a line like ", kinds_of_lines);
      line.require(object.is_object(), "this is ", object.type_name(), "; expected is a line like ", kinds_of_lines);
      const Dataset::Kind kind = kind_of(object, line);
      if (data.examples.empty()) data.kind = kind;
      line.require(kind == data.kind, "this is one of ", name(kind), ", but the lines before are ", name(data.kind),
                   "; one file holds one kind");
      data.examples.push_back(kind == Dataset::Kind::completion ? completion(object, tokenizer, options, line)
                              : kind == Dataset::Kind::chat     ? chat(object, tokenizer, line)
                                                                : labelled(object, tokenizer, line));
    }
    expect<FormatError>(!data.examples.empty(), path, ": the file is empty; expected are lines ",
                        json_lines ? "like " : "of text", json_lines ? kinds_of_lines : "");
  } else {
    std::vector<Id> ids = tokenizer.encode(all);
    if (options.end >= 0 && !ids.empty()) ids.push_back(options.end);
    expect<FormatError>(ids.size() > 1, path, ": the file is empty, or gives a single token; there is nothing to learn");
    const std::size_t window = options.longest > 0 ? static_cast<std::size_t>(options.longest) : ids.size();
    for (std::size_t begin = 0; begin + 1 < ids.size(); begin += window) {
      Example example;
      example.ids.assign(ids.begin() + static_cast<std::ptrdiff_t>(begin),
                         ids.begin() + static_cast<std::ptrdiff_t>(std::min(ids.size(), begin + window)));
      data.examples.push_back(std::move(example));
      at.push_back(1);
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
