// Where a test finds the source tree, the fixtures and the program. Functions of one small source (here.cpp) and not macros
// on every command line, so that a compiler's cache serves every clone of the tree.
#pragma once
#include <string>

namespace here {

std::string root();
std::string umbrella();  ///< graft.h, which the build writes
std::string fixtures();  ///< root()/tests/fixtures
std::string program();   ///< the program graft; "" in a build without one

}  // namespace here
