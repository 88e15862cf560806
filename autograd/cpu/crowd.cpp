#include "autograd/cpu/crowd.h"

#include <atomic>

#ifdef __linux__
#include <sys/resource.h>
#endif

namespace graft::kernel {
namespace {

// Even an idle machine preempts a thread now and then, so a crowd must be forgotten quickly. In bench/busy, 100 ms cost nothing
// on an idle machine, where one second slowed small models by a third; beside busy programs both gain the same.
constexpr std::chrono::milliseconds moment(100);
std::atomic<Clock::rep> until{0};

}  // namespace

bool crowded(Clock::time_point now) { return now.time_since_epoch().count() < until.load(std::memory_order_relaxed); }

void crowd_seen(Clock::time_point now) { until.store((now + moment).time_since_epoch().count(), std::memory_order_relaxed); }

#ifdef __linux__

// The system counts involuntary context switches of a thread: over a thousand per second beside busy loops, 5 to 30 on an
// idle machine.
void look_for_a_crowd(Clock::time_point now) {
  constexpr std::chrono::duration<double> between(0.04);
  constexpr double often = 75;  // per second
  thread_local Clock::time_point last{};
  thread_local long times = 0;
  const std::chrono::duration<double> since = now - last;
  if (since < between) return;
  rusage used{};
  getrusage(RUSAGE_THREAD, &used);
  if (last != Clock::time_point{} && static_cast<double>(used.ru_nivcsw - times) >= often * since.count()) crowd_seen(now);
  last = now, times = used.ru_nivcsw;
}

#else

void look_for_a_crowd(Clock::time_point) {}

#endif

}  // namespace graft::kernel
