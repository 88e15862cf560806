// The report page without data: page.html with style.css and the scripts inlined, embedded by cmake/embed_page.cmake.
#pragma once
#include <string_view>

namespace graft::cli {

/// One HTML document in UTF-8; it shows the value that replaces its "/*DATA*/null".
std::string_view page();

}  // namespace graft::cli
