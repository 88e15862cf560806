#include "peft/options.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <limits>

namespace graft::peft {
namespace {

template <class N>
std::string shortest(N number) {
  char digits[64];
  return std::string(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

Check check_of(const Range& range) { return range.open ? must_be::above(range.low) : must_be::number(range.low, range.high); }

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> all;
  for (std::size_t at = 0, end; at <= list.size(); at = end + 1) {
    end = std::min(list.find(',', at), list.size());
    all.push_back(list.substr(at, end - at));
  }
  return all;
}

}  // namespace

OptionValue::OptionValue(double number) : text(shortest(number)) {}
OptionValue::OptionValue(float number) : text(shortest(number)) {}

Range above(double low) { return {low, std::numeric_limits<double>::infinity(), true}; }

OptionReader::OptionReader(std::string title, Options given, const Tokenizer* tokenizer, std::vector<std::string> labels)
    : title_(std::move(title)),
      given_(std::move(given)),
      tokenizer_(tokenizer),
      labels_(std::move(labels)) {}

const std::string* OptionReader::find(OptionInfo info) {
  const auto found = given_.find(info.name);
  if (found != given_.end()) {
    const std::string wrong = info.check(found->second.text);
    expect<ValueError>(wrong.empty(), title_, ": ", info.name, " ", wrong);
  }
  taken_.push_back(std::move(info));
  return found == given_.end() ? nullptr : &found->second.text;
}

void OptionReader::take(const std::string& name, const std::string& what, Index& value, Range may_be) {
  const Check whole = must_be::whole(static_cast<long>(may_be.low), static_cast<long>(may_be.high));
  const std::string usual = value == 0 ? "" : text(value);  // 0: it follows from something else
  if (const std::string* found = find({name, what, "N", usual, whole})) value = std::stol(*found);
}

void OptionReader::take(const std::string& name, const std::string& what, real& value, Range may_be) {
  if (const std::string* found = find({name, what, "X", text(value), check_of(may_be)}))
    value = static_cast<real>(std::strtod(found->c_str(), nullptr));
}

void OptionReader::take(const std::string& name, const std::string& what, std::optional<real>& value, Range may_be) {
  if (const std::string* found = find({name, what, "X", value ? text(*value) : "", check_of(may_be)}))
    value = static_cast<real>(std::strtod(found->c_str(), nullptr));
}

void OptionReader::take(const std::string& name, const std::string& what, std::string& value) {
  if (const std::string* found = find({name, what, "TEXT", value, must_be::filled()})) value = *found;
}

void OptionReader::take(const std::string& name, const std::string& what, std::vector<std::string>& value) {
  if (const std::string* found = find({name, what, "LIST", joined(value, ","), must_be::filled()})) value = split(*found);
}

std::vector<Id> OptionReader::words(const std::string& name, const std::string& what) {
  const std::string* found = find({name, what, "TEXT", "", must_be::filled()});
  return found ? tokenizer().encode(*found) : std::vector<Id>{};
}

const Tokenizer& OptionReader::tokenizer() const {
  expect<ValueError>(tokenizer_ != nullptr, title_, ": an option is a text, which needs a tokenizer; give one");
  return *tokenizer_;
}

}  // namespace graft::peft
