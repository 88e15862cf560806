#include "tests/here.h"

namespace here {

std::string root() { return GRAFT_ROOT; }
std::string umbrella() { return GRAFT_UMBRELLA; }
std::string fixtures() { return root() + "/tests/fixtures"; }
std::string program() { return GRAFT_PROGRAM; }

}  // namespace here
