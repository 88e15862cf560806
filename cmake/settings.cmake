# What the parts of the build have in common: warnings, processor flags, private dependencies, and a function per kind of part.

find_package(Eigen3 3.3 REQUIRED NO_MODULE)
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(nlohmann_json REQUIRED)

# Warnings, for everything that is compiled here.
add_library(graft_warnings INTERFACE)
target_compile_options(graft_warnings INTERFACE -Wall -Wextra $<$<BOOL:${GRAFT_WERROR}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 takes the "undefined" registers of its own AVX-512 header for a mistake (GCC bug 105593), and under sanitizers
  # the std::function inside of <regex>.
  target_compile_options(graft_warnings INTERFACE -Wno-maybe-uninitialized)
endif()

# What runs for milliseconds and takes long to compile, options, JSON, tests: -O1 takes two thirds of the time of -O3.
add_library(graft_quick_to_compile INTERFACE)
target_compile_options(graft_quick_to_compile INTERFACE $<$<CONFIG:Release>:-O1>)

# What the library's own sources need and its users do not.
add_library(graft_private INTERFACE)
target_link_libraries(graft_private INTERFACE graft_warnings Eigen3::Eigen OpenMP::OpenMP_CXX
                      nlohmann_json::nlohmann_json)
if(GRAFT_NATIVE)
  # -march=native says the same on every processor; spelling out what it means here keeps ccache from mixing two of them.
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -march=native -### -E -x c++ /dev/null OUTPUT_QUIET
                  ERROR_VARIABLE processor)
  string(MD5 processor "${processor}")
  target_compile_options(graft_private INTERFACE -march=native)
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -march=native -dM -E -x c++ /dev/null OUTPUT_VARIABLE macros)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND macros MATCHES "__AVX512F__" AND macros MATCHES "__znver3__")
    # GCC 12 takes a Zen 4 for a Zen 3, which has no AVX-512, and schedules Eigen's products about 20 % slower than this.
    target_compile_options(graft_private INTERFACE -mtune=skylake-avx512)
  endif()
  target_compile_definitions(graft_private INTERFACE GRAFT_PROCESSOR=0x${processor})
endif()
if(GRAFT_THREADS)
  find_package(Threads REQUIRED)
  target_link_libraries(graft_private INTERFACE Threads::Threads)
else()
  target_compile_definitions(graft_private INTERFACE GRAFT_NO_THREADS)
endif()
if(GRAFT_BLAS)
  # The kernels' threads call it side by side; the other flavours would bring a second pool in each.
  find_library(GRAFT_OPENBLAS openblas PATH_SUFFIXES openblas-serial NO_CACHE NO_CMAKE_SYSTEM_PATH
               PATHS /usr/lib/${CMAKE_LIBRARY_ARCHITECTURE} /usr/lib64 /usr/lib)
  if(NOT GRAFT_OPENBLAS)
    message(FATAL_ERROR "GRAFT_BLAS needs OpenBLAS without threads: apt-get install libopenblas-serial-dev")
  endif()
  target_compile_definitions(graft_private INTERFACE EIGEN_USE_BLAS)
  target_link_libraries(graft_private INTERFACE ${GRAFT_OPENBLAS})
endif()

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # The same object for every clone of the tree; and what ccache must overlook to keep what is compiled with a precompiled header.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
endif()

# graft_folder(name parts...): the sources of name/ and name/<part>/ become an object library inside libgraft.so, and the
# headers of name/ are public.
function(graft_folder name)
  set(patterns ${name}/*.cpp)
  foreach(part IN LISTS ARGN)
    list(APPEND patterns ${name}/${part}/*.cpp)
  endforeach()
  file(GLOB sources CONFIGURE_DEPENDS ${patterns})
  if(NOT sources)
    return()
  endif()
  add_library(graft_${name} OBJECT ${sources})
  # Inline functions are compiled by every user for himself: those built here with -march=native must not be exported.
  set_target_properties(graft_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON VISIBILITY_INLINES_HIDDEN ON)
  target_compile_options(graft_${name} PRIVATE -fno-semantic-interposition)  # calls within the library are its own
  target_include_directories(graft_${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(graft_${name} PRIVATE graft_private)
  target_compile_definitions(graft_${name} PRIVATE EIGEN_DONT_PARALLELIZE)  # cpu/parallel.h shares the work out
  if(GRAFT_DOUBLE)
    target_compile_definitions(graft_${name} PRIVATE GRAFT_DOUBLE)
  endif()
  file(GLOB readers ${name}/inside/*.cpp)  # of configurations
  set_source_files_properties(${readers} PROPERTIES COMPILE_OPTIONS "$<$<CONFIG:Release>:-O1>")
  target_sources(graft PRIVATE $<TARGET_OBJECTS:graft_${name}>)
  set_property(GLOBAL APPEND PROPERTY GRAFT_FOLDERS ${name})
endfunction()

# cli/report/: the report's page is compiled in; a library of its own, for its tests.
function(graft_report)
  set(folder ${PROJECT_SOURCE_DIR}/cli/report)
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cpp)
  file(GLOB parts CONFIGURE_DEPENDS ${folder}/*.html ${folder}/*.css ${folder}/*.js)
  set(page ${PROJECT_BINARY_DIR}/cli/report/page.cpp)
  set(embed ${PROJECT_SOURCE_DIR}/cmake/embed_page.cmake)
  add_custom_command(OUTPUT ${page} DEPENDS ${parts} ${embed} VERBATIM
                     COMMAND ${CMAKE_COMMAND} -DPAGE=${folder}/page.html -DTO=${page} -P ${embed})
  add_library(graft_report STATIC ${sources} ${page})
  target_link_libraries(graft_report PUBLIC graft nlohmann_json::nlohmann_json PRIVATE graft_warnings graft_quick_to_compile)
endfunction()

# cli/: the program `graft`.
function(graft_program)
  file(GLOB sources CONFIGURE_DEPENDS cli/*.cpp cli/*/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/cli/report/")  # a library of its own
  find_package(CLI11 REQUIRED)  # for cli/command_line.cpp
  graft_report()
  add_executable(graft_program ${sources})
  set_target_properties(graft_program PROPERTIES OUTPUT_NAME graft
                        INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
  target_compile_definitions(graft_program PRIVATE GRAFT_VERSION="${PROJECT_VERSION}")
  target_link_libraries(graft_program PRIVATE graft graft_report graft_warnings graft_quick_to_compile CLI11::CLI11
                                              nlohmann_json::nlohmann_json)
endfunction()

# bench/*.cpp: one Google Benchmark program each; the target `bench` builds them all, a plain build none. They see Eigen and
# the processor flags, because they compare with bare Eigen.
function(graft_benchmarks)
  file(GLOB sources CONFIGURE_DEPENDS bench/*.cpp)
  find_package(benchmark QUIET)
  if(NOT benchmark_FOUND)
    return()
  endif()
  add_custom_target(bench)
  foreach(source IN LISTS sources)
    get_filename_component(name ${source} NAME_WE)
    add_executable(bench_${name} EXCLUDE_FROM_ALL ${source})
    set_target_properties(bench_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
    target_link_libraries(bench_${name} PRIVATE graft graft_private benchmark::benchmark)
    add_dependencies(bench bench_${name})
  endforeach()
endfunction()
