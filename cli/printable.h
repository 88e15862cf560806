// What files of strangers hold, on a terminal or in a column of a table.
#pragma once
#include <string>

namespace graft::cli {

/// Control characters as \x1b, a tab as \x09 and so on, for they may be commands to a terminal and break the lines of a table;
/// in UTF-8, U+0080 to U+009F are such as well. All else as it is.
std::string printable(const std::string& words);

void tell(const std::string& note);  ///< a line of its own on stderr, printable

}  // namespace graft::cli
