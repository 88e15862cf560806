// How many threads the kernels use. Process-wide.
#pragma once

namespace graft {

int threads();            ///< at first: OMP_NUM_THREADS, or the number of cores
void threads(int count);  ///< Errors: ValueError for count < 1

}  // namespace graft
