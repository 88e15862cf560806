// Whether other programs compete for the cores: then threads must not spin, and only long loops are worth waking them for.
#pragma once
#include <chrono>

namespace graft::kernel {

using Clock = std::chrono::steady_clock;

/// A thread that pauses this long in the middle of its work was preempted by the system.
constexpr std::chrono::microseconds sent_away(1000);

/// Whether a crowd was seen within the last moment.
bool crowded(Clock::time_point now);

/// To be called when a thread was preempted.
void crowd_seen(Clock::time_point now);

/// Checks now and then whether the calling thread keeps being preempted.
void look_for_a_crowd(Clock::time_point now);

}  // namespace graft::kernel
