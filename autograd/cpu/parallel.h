// How kernels share a loop among threads: fixed contiguous parts, so the same thread count gives the same bits.
#pragma once
#include <algorithm>

#include "autograd/cpu/pool.h"
#include "autograd/real.h"
#include "autograd/threads.h"

namespace graft::kernel {

/// The cost of `count` multiply-adds inside a matrix product, in units of one number read, changed simply and written.
inline Index flops(Index count) { return count / 16; }

/// The parts start at multiples of `grain`.
template <class F>
void for_grains(Index n, Index cost, Index grain, const F& f) {
  // About 1 to 2 microseconds, the time a spinning thread takes to notice its part and the caller to notice its end
  // (measured by bench_busy loops).
  constexpr Index worth_a_thread = 16384;
  const Index work = n * std::max<Index>(cost, 1), count = std::min<Index>(threads(), work / worth_a_thread);
  if (count <= 1 || inside_part()) {
    if (n > 0) f(Index(0), n);
    return;
  }
  const auto bound = [=](Index part) { return part == count ? n : n * part / count / grain * grain; };
  const auto part = [&](Index i) {
    if (bound(i) < bound(i + 1)) f(bound(i), bound(i + 1));
  };
  run_parts({count, work, [](const void* loop, Index i) { (*static_cast<const decltype(part)*>(loop))(i); }, &part});
}

/// Calls f(begin, end) on parts of [0, n), one per thread; `cost` is the work of one item, counted in
/// numbers read, changed simply and written (an exponential is about 8).
/// Small loops, and loops inside a part of another loop, run entirely on the calling thread.
template <class F>
void for_range(Index n, Index cost, F&& f) {
  for_grains(n, cost, 1, f);
}

/// The same over the numbers of an array: parts start at cache lines, so that no two threads share one.
template <class F>
void for_numbers(Index n, Index cost, F&& f) {
  for_grains(n, cost, 16, f);
}

}  // namespace graft::kernel
