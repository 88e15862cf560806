// The threads behind parallel.h: they spin for a moment between loops, then sleep, so a program beside them gets the cores.
#pragma once
#include "autograd/real.h"

namespace graft::kernel {

/// A loop cut into parts. Which thread runs a part is left to chance; what a part is must not be.
struct Parts {
  Index count;
  Index work;  ///< of all, in units of parallel.h
  void (*run)(const void* loop, Index part);
  const void* loop;
};

/// Whether this thread is inside a part of a loop.
bool inside_part();

/// Runs all parts, part 0 on the calling thread, and returns when all have ended. A part that no other thread has begun by
/// then (it sleeps, its core is taken, another caller has the threads) is the caller's too. Threads that sleep are woken only
/// if the work is worth it.
/// Errors: what parts throw; of several the first part's. The other parts run nevertheless.
void run_parts(const Parts& parts);

}  // namespace graft::kernel
