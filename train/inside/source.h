// A data file before parsing: its format by its extension, and whether it is text at all.
#pragma once
#include <string>

#include "autograd/errors.h"

namespace graft::train {

/// Where in a file something is; messages begin with it.
struct Line {
  const std::string& path;
  std::size_t number;
  template <class... Parts>
  void require(bool ok, const Parts&... parts) const {
    expect<FormatError>(ok, path, ", line ", number, ": ", parts...);
  }
};

enum class Format { text, json, csv, tsv };

/// By the ending, in letters of either case: .jsonl, .ndjson and .json are JSON, .csv and .tsv tables. Any other is text, but
/// for those that are known not to be. Errors: FormatError says what to do with such a file.
Format format_of(const std::string& path);

/// The text without a byte order mark. Errors: FormatError if it is not UTF-8: where, what it may be instead, and what to do.
std::string as_utf8(std::string content, const std::string& path);

/// The line that byte `at` is in; 1 is the first.
std::size_t line_at(const std::string& content, std::size_t at);

}  // namespace graft::train
