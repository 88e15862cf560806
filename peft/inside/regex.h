// Regular expressions as Python's `re` reads them, for names of modules in adapter_config.json. Expressions come
// from untrusted files, so the time is bounded: no pair of an expression's step and a place in the text is visited twice (the
// memoized backtracking of RE2's BitState; Cox 2010, "Regular expression matching in the wild"), and all steps are counted.
// Understood: . [] [^] | () (?:) (?P<n>) * + ? {m,n}, lazy and possessive, ^ $ \A \Z \b \B \d \w \s and their opposites,
// (?=) (?!) (?<=) (?<!) (?>) (?#), the flags i, m and s. Not: back-references, conditions, the flag x, letters beyond ASCII, and,
// in possessive repetitions and (?>), repetitions of what may be empty.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace graft::peft {

/// The limit for all expressions of one file together. Names of a model of 80 layers, each with a rank of its own, need a
/// tenth of it; it is used up within a few seconds.
struct RegexBudget {
  long long steps = 500'000'000;  ///< of matching
  long long size = 500'000;       ///< of the expressions, with counted repetitions expanded
};

struct RegexProgram;

class Regex {
 public:
  /// where: what messages begin with ("a/adapter_config.json: the field target_modules"). The budget must outlive it.
  /// Errors: FormatError names the expression, what is wrong with it and at which character, or that the budget is spent.
  Regex(const std::string& expression, const std::string& where, RegexBudget& budget);

  /// re.fullmatch(expression, text) is not None. Errors: FormatError if the budget is spent.
  bool fullmatch(const std::string& text) const;
  /// re.match(expression, text) is not None: a match at the beginning.
  bool match(const std::string& text) const;
  /// re.match(expression, text).group(name); nothing if there is no match, or if the group is not part of it.
  std::optional<std::string> group(const std::string& name, const std::string& text) const;

 private:
  void expect_done(const std::string& text) const;  // the budget still has steps
  std::shared_ptr<const RegexProgram> program_;
  std::string expression_, where_;
  RegexBudget* budget_;
};

}  // namespace graft::peft
