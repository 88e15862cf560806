// The code of a cell, as far as rules have to understand it: what is string or comment, which pieces stand at the top level, which
// numbers are in it.
#pragma once
#include <string>
#include <vector>

namespace notebook {

/// Comments as spaces, letters of strings and characters as '_'; as long as before.
std::string blanked(const std::string& code);

enum class Kind { directive, function, type, alias, using_, template_, namespace_, binding, variable, statement, expression };
struct Piece {
  Kind kind;
  std::string text;                ///< blanked
  int line;                        ///< in the cell, from 0
  std::vector<std::string> names;  ///< that it declares
};
/// A cell at its top level; an expression is what has no semicolon at the end.
std::vector<Piece> pieces(const std::string& code);

/// The number literals of blanked code, negative ones with their sign; those in subscripts are left out if asked.
std::vector<double> literals(const std::string& blanked_code, bool subscripts = true);

struct Check {
  std::vector<double> claims;         ///< the numbers that it holds against what was computed
  double expected = 0, allowed = -1;  ///< literals both, or allowed is -1
  int line;                           ///< in the cell, from 0
};
/// Calls of check(what, condition) and of check(what, value, expected, tolerance).
std::vector<Check> checks(const std::string& code);

}  // namespace notebook
