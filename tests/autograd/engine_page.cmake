# Sets engine_page: one generated source with every <!-- run --> snippet of docs/*.md, docs/methods/*.md and the READMEs as a
# test.
find_program(GRAFT_AWK NAMES mawk gawk awk REQUIRED)
file(GLOB pages CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}
     ${PROJECT_SOURCE_DIR}/docs/*.md ${PROJECT_SOURCE_DIR}/docs/methods/*.md ${PROJECT_SOURCE_DIR}/README*.md)
list(TRANSFORM pages PREPEND ${PROJECT_SOURCE_DIR}/ OUTPUT_VARIABLE page_files)
set(engine_page ${CMAKE_CURRENT_BINARY_DIR}/engine_page.cpp)
add_custom_command(
  OUTPUT ${engine_page}
  COMMAND ${GRAFT_AWK} -v out=${engine_page} -f ${CMAKE_CURRENT_LIST_DIR}/engine_page.awk ${pages}
  DEPENDS ${page_files} ${CMAKE_CURRENT_LIST_DIR}/engine_page.awk
  WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
  COMMENT "Snippets of the pages -> engine_page.cpp"
  VERBATIM)
