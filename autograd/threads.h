// How many threads the kernels use, process-wide. The same count gives the same bits, even in a build without threads.
#pragma once

namespace graft {

int threads();            ///< by default OMP_NUM_THREADS, or the cores that this process may use
void threads(int count);  ///< Errors: ValueError for count < 1

}  // namespace graft
