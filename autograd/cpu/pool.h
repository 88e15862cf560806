// The threads behind parallel.h: they spin for a moment between loops, then sleep, so other programs get the cores.
#pragma once
#include "autograd/real.h"

namespace graft::kernel {

/// A loop cut into parts. Which thread runs a part is up to chance; what a part contains must not be.
struct Parts {
  Index count;
  Index work;  ///< of all parts together, in units of parallel.h
  void (*run)(const void* loop, Index part);
  const void* loop;
};

/// Whether this thread is inside a part of a loop.
bool inside_part();

/// Runs all parts, part 0 on the calling thread, and returns when all have ended. A part that no other thread has begun by
/// then (it sleeps, its core is taken, another caller has the threads) is run by the caller too. Sleeping threads are woken
/// only if the work is worth it.
/// Errors: those thrown by parts; if several throw, the lowest part's. The other parts still run.
void run_parts(const Parts& parts);

}  // namespace graft::kernel
