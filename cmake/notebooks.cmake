# notebooks/: what a C++ notebook shows of graft's values, and the compiled half of the kernel of ./run jupyter. Installed are
# notebook.h beside graft.h, libgraft_notebook beside libgraft, and the kernel as lib/graft/kernel.
set(folder ${PROJECT_SOURCE_DIR}/notebooks)

add_library(graft_notebook SHARED ${folder}/mime.cpp)
set_target_properties(graft_notebook PROPERTIES VISIBILITY_INLINES_HIDDEN ON INSTALL_RPATH "$ORIGIN")
target_link_libraries(graft_notebook PRIVATE graft graft_warnings graft_quick_to_compile nlohmann_json::nlohmann_json)

file(GLOB sources CONFIGURE_DEPENDS ${folder}/kernel/*.cpp)
add_library(graft_kernel SHARED ${sources})
target_compile_features(graft_kernel PRIVATE cxx_std_17)
set_target_properties(graft_kernel PROPERTIES VISIBILITY_INLINES_HIDDEN ON)
target_link_libraries(graft_kernel PRIVATE graft_warnings graft_quick_to_compile nlohmann_json::nlohmann_json ${CMAKE_DL_LIBS})

set(kernel ${CMAKE_INSTALL_LIBDIR}/graft/kernel)
file(GLOB programs CONFIGURE_DEPENDS ${folder}/kernel/*.py)
install(FILES ${folder}/notebook.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/graft)
list(FILTER programs EXCLUDE REGEX "/copy_notebooks.py$")  # a part of ./run jupyter
install(FILES ${programs} DESTINATION ${kernel})
install(DIRECTORY ${folder}/kernel/xcpp DESTINATION ${kernel})
install(TARGETS graft_notebook LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS graft_kernel LIBRARY DESTINATION ${kernel})
