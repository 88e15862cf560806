# `cmake --install`: headers to include/graft/<folder>/, the library, and the package that find_package(graft) reads.
include(CMakePackageConfigHelpers)

get_property(folders GLOBAL PROPERTY GRAFT_FOLDERS)
foreach(folder IN LISTS folders)
  file(GLOB headers CONFIGURE_DEPENDS ${folder}/*.h)
  install(FILES ${headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/graft/${folder})
endforeach()
install(FILES ${GRAFT_UMBRELLA} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/graft)

install(TARGETS graft EXPORT graft LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET graft_program)
  install(TARGETS graft_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/graft)
install(EXPORT graft NAMESPACE graft:: FILE graft-config.cmake DESTINATION ${package})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/graft-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/graft-config-version.cmake DESTINATION ${package})
