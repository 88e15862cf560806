// Tables as records: RFC 4180, with commas or tabs.
#include <algorithm>

#include "train/inside/records.h"

namespace graft::train {
namespace {

/// Goes through a table row by row.
class Rows {
 public:
  Rows(const std::string& content, const std::string& path, char separator)
      : content_(content),
        path_(path),
        separator_(separator) {}

  /// The cells of the next row that is not blank, and the line that it begins in; false at the end.
  bool next(std::vector<std::string>& cells, std::size_t& line) {
    while (at_ < content_.size()) {
      line = line_, cells.clear();
      const std::size_t begin = at_;
      do cells.push_back(cell());
      while (at_ < content_.size() && content_[at_] == separator_ && (++at_, true));
      const bool blank = at_ == begin;
      end_of_row();
      if (!blank) return true;
    }
    return false;
  }

 private:
  bool at_end_of_cell() const {
    return at_ >= content_.size() || content_[at_] == separator_ || content_[at_] == '\n' || content_[at_] == '\r';
  }

  std::string cell() {
    const Line line{path_, line_};
    if (at_ < content_.size() && content_[at_] == '"') return quoted(line);
    const std::size_t begin = at_;
    for (; !at_end_of_cell(); ++at_)  // with tabs there is no ambiguity, so a mark inside a cell is literal
      line.require(content_[at_] != '"' || separator_ == '\t',
                   "a quotation mark inside a cell that does not begin with one; put the whole cell in quotation marks, and "
                   "double those that are inside: \"say \"\"so\"\"\"");
    return content_.substr(begin, at_ - begin);
  }

  std::string quoted(const Line& line) {
    std::string all;
    for (++at_;; ++at_) {
      line.require(at_ < content_.size(), "a cell begins with a quotation mark that is never closed");
      const char c = content_[at_];
      if (c == '\n') ++line_;
      if (c != '"') {
        all += c;
        continue;
      }
      if (at_ + 1 >= content_.size() || content_[at_ + 1] != '"') break;
      all += '"', ++at_;
    }
    ++at_;
    line.require(at_end_of_cell(), "there is text after the quotation mark that closes a cell; marks inside it "
                 "are doubled: \"say \"\"so\"\"\"");
    return all;
  }

  void end_of_row() {
    if (at_ < content_.size() && content_[at_] == '\r') ++at_;
    else if (at_ < content_.size() && content_[at_] == '\n') {
      ++at_, ++line_;
      return;
    } else return;
    if (at_ < content_.size() && content_[at_] == '\n') ++at_;
    ++line_;
  }

  const std::string& content_;
  const std::string& path_;
  char separator_;
  std::size_t at_ = 0, line_ = 1;
};

std::string trimmed(const std::string& s) {
  const std::size_t first = s.find_first_not_of(" \t"), last = s.find_last_not_of(" \t");
  return first == std::string::npos ? "" : s.substr(first, last - first + 1);
}

}  // namespace

void each_row(const std::string& content, const std::string& path, char separator, const Take& take) {
  Rows rows(content, path, separator);
  std::vector<std::string> names, cells;
  std::size_t number = 0;
  if (!rows.next(names, number)) return;
  for (std::string& name : names) name = trimmed(name);
  const Line header{path, number};
  const auto count = [&](const char* name) { return std::count(names.begin(), names.end(), name); };
  std::string there;
  for (const std::string& name : names) there += (there.empty() ? "\"" : ", \"") + name.substr(0, 40) + "\"";
  header.require(count("text") > 0 || (count("prompt") > 0 && count("completion") > 0),
                 "the first row must name the columns: text, or text and label, or prompt and completion; here they are ",
                 there, count("messages") > 0 ? ". Messages do not fit into a table; write them as .jsonl"
                 : names.size() == 1 && names[0].find(';') != std::string::npos ? ". Cells are separated by commas, not by ;"
                                                                                : "");
  for (const char* name : {"text", "label", "prompt", "completion"})
    header.require(count(name) < 2, "the column \"", name, "\" is listed twice");
  while (rows.next(cells, number)) {
    Line{path, number}.require(cells.size() == names.size(), cells.size(), cells.size() == 1 ? " cell" : " cells",
                               ", but the first row names ", names.size(), names.size() == 1 ? " column" : " columns",
                               "; a cell that holds a ", separator == ',' ? "comma" : "tab", " needs quotation marks");
    Record one{number, names, {}, {}};
    for (std::size_t i = 0; i < cells.size(); ++i)
      if (names[i] == "text" || names[i] == "label" || names[i] == "prompt" || names[i] == "completion")
        one.fields.emplace(names[i], Field{"string", true, cells[i]});
    take(one);
  }
}

}  // namespace graft::train
