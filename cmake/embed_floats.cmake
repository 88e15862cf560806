# cmake -DFROM=numbers.f32 -DNAME=a::b -DTO=numbers.cpp -P embed_floats.cmake: writes a file of floats (32 bits, little-endian) as C++, as
# the whole numbers of their bits.
cmake_minimum_required(VERSION 3.22)
file(READ ${FROM} bytes HEX)
string(REGEX REPLACE "(..)(..)(..)(..)" "0x\\4\\3\\2\\1," words "${bytes}")
string(REGEX MATCHALL "," commas "${words}")
list(LENGTH commas count)
string(REGEX MATCH "(.*)::([a-z_]+)" matched ${NAME})
file(WRITE ${TO} "#include <cstddef>
#include <cstdint>
namespace ${CMAKE_MATCH_1} {
extern const std::size_t ${CMAKE_MATCH_2}_count;
extern const std::uint32_t ${CMAKE_MATCH_2}[];
const std::size_t ${CMAKE_MATCH_2}_count = ${count};
const std::uint32_t ${CMAKE_MATCH_2}[] = {${words}};
}
")
