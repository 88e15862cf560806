# Writes <graft.h>, which includes every public header: those at the top of the library's folders. Not in it are the opt-in
# views for Eigen, and the kernels that ops are made of, with their slow clear versions.
set(beside autograd/eigen.h autograd/kernels.h autograd/clear.h)

get_property(folders GLOBAL PROPERTY GRAFT_FOLDERS)
set(headers)
foreach(folder IN LISTS folders)
  file(GLOB of_folder RELATIVE ${PROJECT_SOURCE_DIR} CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.h)
  list(APPEND headers ${of_folder})
endforeach()
list(REMOVE_ITEM headers ${beside})
list(SORT headers)
list(TRANSFORM headers REPLACE "(.+)" "#include \"\\1\"\n")
list(JOIN headers "" includes)

set(GRAFT_UMBRELLA ${PROJECT_BINARY_DIR}/include/graft.h)
file(CONFIGURE OUTPUT ${GRAFT_UMBRELLA} @ONLY CONTENT
"// Everything of graft in one include: #include <graft.h>. Free of Eigen and OpenMP; whoever wants Eigen views of tensors
// includes \"autograd/eigen.h\" as well. With std::sqrt and its kin. Written by cmake/umbrella.cmake.
#pragma once
#include <cmath>
@includes@")
