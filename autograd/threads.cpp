#include "autograd/threads.h"

#include <omp.h>

#include <atomic>

#include "autograd/errors.h"

namespace graft {
namespace {
// Kept here, because OpenMP's own setting belongs to the thread that makes it.
std::atomic<int>& chosen() {
  static std::atomic<int> count{omp_get_max_threads()};
  return count;
}
}  // namespace

int threads() { return chosen(); }

void threads(int count) {
  expect<ValueError>(count >= 1, "threads: ", count, " asked for, but at least 1 must work");
  chosen() = count;
}

}  // namespace graft
