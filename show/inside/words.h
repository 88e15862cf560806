// Words of strangers (names of tokens, titles, curves) in SVG, HTML and on a terminal.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "show/picture.h"

namespace graft::show {

/// escaped() of picture.h without the entities: for a terminal.
std::string plain(std::string_view words);

/// How many columns of a terminal it takes: two for a wide character (Chinese, Japanese, Korean, emoji), none for an accent that
/// combines.
std::size_t columns(std::string_view words);
/// At most that many columns; what was longer ends with "…".
std::string shortened(std::string_view words, std::size_t most);
/// Filled up with spaces behind, or before.
std::string left(std::string words, std::size_t width);
std::string right(std::string words, std::size_t width);
/// Columns side by side, two spaces between them; those of which to_the_right says so are set to the right.
std::string aligned(const std::vector<std::vector<std::string>>& rows, const std::vector<bool>& to_the_right);

}  // namespace graft::show
