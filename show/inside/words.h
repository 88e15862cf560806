// Words of strangers (names of tokens, titles, curves) in SVG, HTML and on a terminal.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace graft::show {

/// Ill-formed UTF-8, control characters and what XML forbids become U+FFFD; a tab or the end of a line becomes a space.
std::string plain(std::string_view words);
/// plain(), and <, >, &, " and ' as entities: for text and attributes of SVG and HTML.
std::string escaped(std::string_view words);

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
