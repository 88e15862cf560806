// What the functions of show/ return: pictures and tables as strings, for a notebook, a page, a file or a terminal. They know
// no notebook: notebooks/notebook.h hands them to the kernel.
//     std::ofstream("loss.svg") << show::plot({{"LoRA", losses}}).svg;
#pragma once
#include <string>
#include <string_view>

namespace graft::show {

/// A picture that stands alone: an SVG with a <title>, readable on a light and on a dark page.
struct Picture {
  std::string svg;
  std::string text;  ///< the same for a terminal, in a few lines
};

/// A piece of a page: inherits its font and colours, brings no script.
struct Html {
  std::string html;
  std::string text;  ///< the same for a terminal
};

/// Any words as text or attributes of SVG and HTML: <, >, &, " and ' as entities; ill-formed UTF-8, control characters and what XML
/// forbids as U+FFFD; a tab or the end of a line as a space.
std::string escaped(std::string_view words);

}  // namespace graft::show
