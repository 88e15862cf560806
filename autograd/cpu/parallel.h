// How kernels share a loop among threads: fixed contiguous parts, so the same thread count gives the same bits.
#pragma once
#include <omp.h>

#include <algorithm>
#include <exception>

#include "autograd/real.h"
#include "autograd/threads.h"

namespace graft::kernel {

/// The cost of so many multiplications and additions inside a matrix product, in units of a number that passes through.
inline Index flops(Index count) { return count / 16; }

/// The parts start at multiples of `grain`.
template <class F>
void for_grains(Index n, Index cost, Index grain, const F& f) {
  constexpr Index worth_a_thread = 32768;  // some 5 microseconds, as long as it takes to wake and join a thread
  const Index most = std::min<Index>(threads(), n * std::max<Index>(cost, 1) / worth_a_thread);
  if (most <= 1 || omp_in_parallel()) {
    if (n > 0) f(Index(0), n);
    return;
  }
  std::exception_ptr error;
#pragma omp parallel num_threads(static_cast <int>(most))
  {
    const Index team = omp_get_num_threads(), me = omp_get_thread_num();
    const auto bound = [&](Index part) { return part == team ? n : n * part / team / grain * grain; };
    try {
      if (bound(me) < bound(me + 1)) f(bound(me), bound(me + 1));
    } catch (...) {  // must not leave the region; memory may run out in any thread
#pragma omp critical(graft_error)
      error = std::current_exception();
    }
  }
  if (error) std::rethrow_exception(error);
}

/// Calls f(begin, end) on parts of [0, n), one per thread; `cost` is the work of one item, counted in
/// numbers read, changed simply and written (an exponential is about 8).
/// Small loops and loops inside another parallel region run on the calling thread.
template <class F>
void for_range(Index n, Index cost, F&& f) {
  for_grains(n, cost, 1, f);
}

/// The same over the numbers of an array: parts start on cache lines, so that no two threads share one.
template <class F>
void for_numbers(Index n, Index cost, F&& f) {
  for_grains(n, cost, 16, f);
}

}  // namespace graft::kernel
