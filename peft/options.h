// A method's options by name, as a command line, a file or a line of C++ gives them, and the reader that a method takes them
// from.
//     peft::Options options{{"r", 4}, {"targets", "q,v"}};
//     options["dropout"] = 0.1;
#pragma once
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "autograd/check.h"
#include "autograd/real.h"
#include "autograd/text.h"
#include "tokenizer/tokenizer.h"

namespace graft::peft {

/// A value as text. A list is words with commas between.
struct OptionValue {
  std::string text;

  OptionValue() = default;
  OptionValue(const char* t) : text(t) {}
  OptionValue(std::string t) : text(std::move(t)) {}
  OptionValue(const std::vector<std::string>& words) : text(joined(words, ",")) {}
  OptionValue(double number);  ///< in as many digits as it takes to read the same number again
  OptionValue(float number);
  template <class N, class = std::enable_if_t<std::is_integral_v<N>>>
  OptionValue(N number) : text(std::to_string(number)) {}
};
using Options = std::map<std::string, OptionValue>;

/// The range of a number.
struct Range {
  double low, high;
  bool open = false;  ///< low itself is excluded
};
Range above(double low);

/// A method's description of one of its options, for help texts.
struct OptionInfo {
  std::string name, what;  ///< "r", "the rank"
  std::string type;        ///< "N", "X", "NAME", "TEXT", "LIST"
  std::string usual;       ///< "8"; "" if `what` says it
  Check check;             ///< of its text
};

/// Hands a method its options, one by one; each call gives an option's name, meaning and range. What
/// was not given stays as it is: the default. So a reader without options lists which ones there are.
/// Errors of all: ValueError names the method, the option and its value.
class OptionReader {
 public:
  /// title: the method's, for messages. The tokenizer is for options that are texts; it must outlive the reader.
  explicit OptionReader(std::string title, Options given = {}, const Tokenizer* tokenizer = nullptr,
                        std::vector<std::string> labels = {});

  void take(const std::string& name, const std::string& what, Index& value, Range may_be);
  void take(const std::string& name, const std::string& what, real& value, Range may_be);
  void take(const std::string& name, const std::string& what, std::optional<real>& value, Range may_be);
  void take(const std::string& name, const std::string& what, std::string& value);               ///< any word
  void take(const std::string& name, const std::string& what, std::vector<std::string>& value);  ///< a list
  /// One of several words: {{"kaiming", Init::kaiming}, ..}
  template <class Choice>
  void take(const std::string& name, const std::string& what, Choice& value,
            std::initializer_list<std::pair<const char*, Choice>> words);
  std::vector<Id> words(const std::string& name, const std::string& what);  ///< a text, as the tokenizer's ids; none: empty

  bool given(const std::string& name) const { return given_.count(name) != 0; }
  const Tokenizer& tokenizer() const;                               ///< Errors: ValueError if there is none
  const std::vector<std::string>& labels() const { return labels_; }  ///< of the data's classes
  const std::vector<OptionInfo>& taken() const { return taken_; }

 private:
  const std::string* find(OptionInfo info);  ///< its text, if it was given
  std::string title_;
  Options given_;
  const Tokenizer* tokenizer_;
  std::vector<std::string> labels_;
  std::vector<OptionInfo> taken_;
};

template <class Choice>
void OptionReader::take(const std::string& name, const std::string& what, Choice& value,
                        std::initializer_list<std::pair<const char*, Choice>> words) {
  std::vector<std::string> names;
  std::string usual;
  for (const auto& [word, choice] : words) {
    names.push_back(word);
    if (choice == value) usual = word;
  }
  const std::string* found = find({name, what + ": " + joined(names), "NAME", usual, must_be::one_of(names)});
  for (const auto& [word, choice] : words)
    if (found && *found == word) value = choice;
}

}  // namespace graft::peft
