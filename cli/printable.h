// Text from untrusted files, made safe for a terminal or a column of a table.
#pragma once
#include <string>

namespace graft::cli {

/// Writes control characters as \x1b, a tab as \x09 and so on, because they may be terminal commands and break the lines of a
/// table; in UTF-8 these include U+0080 to U+009F. Everything else is unchanged.
std::string printable(const std::string& words);

void tell(const std::string& note);  ///< prints a separate line on stderr, made printable

}  // namespace graft::cli
