// The report's page without its data: page.html with style.css and the scripts put in, embedded by cmake/embed_page.cmake.
#pragma once
#include <string_view>

namespace graft::cli {

/// One HTML document in UTF-8; it shows the value that stands in place of its "/*DATA*/null".
std::string_view page();

}  // namespace graft::cli
