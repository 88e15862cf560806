// Whether other programs want the cores, too: then threads must not spin, and only long loops are worth waking them.
#pragma once
#include <chrono>

namespace graft::kernel {

using Clock = std::chrono::steady_clock;

/// A thread that was away for so long, in the middle of its work, was sent away by the system.
constexpr std::chrono::microseconds sent_away(1000);

/// Whether a crowd was seen a moment ago.
bool crowded(Clock::time_point now);

/// To be called when a thread was sent away.
void crowd_seen(Clock::time_point now);

/// Looks every now and then whether the calling thread keeps being sent away.
void look_for_a_crowd(Clock::time_point now);

}  // namespace graft::kernel
