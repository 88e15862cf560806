// The number type of the whole library, chosen here only.
// float normally; the build with GRAFT_DOUBLE (preset "double") is the one whose gradients are checked to 1e-7.
#pragma once
#include <cstdint>

namespace graft {

#ifdef GRAFT_DOUBLE
using real = double;
#else
using real = float;
#endif

using Index = std::int64_t;  // sizes and positions; signed, so that differences are safe
using Id = std::int32_t;     // token ids and labels

}  // namespace graft
