// Examples as a file has them, whatever its format: fields by name, each with the line that it begins in.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "train/inside/source.h"

namespace graft::train {

struct Field {
  const char* type;  ///< as JSON calls it: "string", "number", "null", ...
  bool word;         ///< a string or a whole number
  std::string text;  ///< which
};
using Fields = std::map<std::string, Field>;

struct Record {
  std::size_t line;
  std::vector<std::string> names;  ///< of all its fields, known or not
  Fields fields;                   ///< prompt, completion, messages, text, label: those that are there
  std::vector<Fields> messages;    ///< role and content of each
};
using Take = std::function<void(const Record&)>;

inline const char* const expected_fields =
    R"({"prompt": .., "completion": ..}, {"messages": [..]}, {"text": .., "label": ..} or {"text": ..})";

/// A list of objects, or objects one after another: on a line each, or over several lines. Errors: FormatError: line and
/// column, why, and what to do.
void each_json(const std::string& content, const std::string& path, const Take& take);

/// A table whose first row names the columns; a cell that holds the separator, a quotation mark or a line break needs
/// quotation marks, which are doubled inside (RFC 4180). Errors: FormatError: line, what is wrong, and what to do.
void each_row(const std::string& content, const std::string& path, char separator, const Take& take);

/// Whether a text begins as JSON does that read_dataset() would know.
bool looks_like_records(const std::string& content);

}  // namespace graft::train
