# cmake -DPAGE=page.html -DTO=page.cpp -P embed_page.cmake: makes one text of the page and the files beside it, where "/*name*/"
# in the page stands for the file of that name, and writes it as C++. As bytes: compilers limit the length of string literals.
cmake_minimum_required(VERSION 3.22)
get_filename_component(folder ${PAGE} DIRECTORY)
file(READ ${PAGE} page)
file(GLOB parts ${folder}/*.css ${folder}/*.js)
foreach(part IN LISTS parts)
  get_filename_component(name ${part} NAME)
  string(FIND "${page}" "/*${name}*/" place)
  if(place EQUAL -1)
    message(FATAL_ERROR "${PAGE} has no line /*${name}*/, so ${part} would be left out; add the line or remove the file")
  endif()
  file(READ ${part} text)
  string(REPLACE "/*${name}*/" "${text}" page "${page}")
endforeach()
string(REGEX MATCH "/\\*[a-z]+\\.(css|js)\\*/" lost "${page}")
if(lost)
  message(FATAL_ERROR "${PAGE} asks for ${lost}, but there is no such file in ${folder}")
endif()
string(HEX "${page}" page)
string(REGEX REPLACE "(..)" "0x\\1," page "${page}")
string(REGEX REPLACE "(................................................................................)" "\\1\n" page "${page}")
file(WRITE ${TO} "// Written by cmake/embed_page.cmake.
#include \"cli/report/page.h\"

namespace graft::cli {

static const unsigned char bytes[] = {
${page}};

std::string_view page() { return {reinterpret_cast<const char*>(bytes), sizeof bytes}; }

}  // namespace graft::cli
")
