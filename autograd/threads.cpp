#include "autograd/threads.h"

#include <omp.h>

#include "autograd/errors.h"

namespace graft {

int threads() { return omp_get_max_threads(); }

void threads(int count) {
  expect<ValueError>(count >= 1, "threads: ", count, " asked for, but at least 1 must work");
  omp_set_num_threads(count);
}

}  // namespace graft
