// One thread per seat. A seat's state is awake, asleep or offered (a part); the thread that changes `offered` back to `awake`
// runs that part: the seat's own thread, or the caller, which does not wait for threads that have not started.
#include "autograd/cpu/pool.h"

#include <exception>
#include <mutex>

#ifndef GRAFT_NO_THREADS
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <thread>
#include <vector>

#include "autograd/cpu/crowd.h"
#include "autograd/sizes.h"
#endif

namespace graft::kernel {
namespace {

thread_local bool inside = false;

/// A running loop, on its caller's stack.
class Loop {
 public:
  explicit Loop(const Parts& parts) : parts_(parts) { inside = true; }
  ~Loop() { inside = false; }

  void run(Index part) noexcept {
    try {
      parts_.run(parts_.loop, part);
    } catch (...) {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!error_ || part < failed_) error_ = std::current_exception(), failed_ = part;
    }
  }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  const Parts& parts_;
  std::mutex mutex_;
  std::exception_ptr error_;
  Index failed_ = 0;
};

void run_alone(const Parts& parts) {
  Loop loop(parts);
  for (Index i = 0; i < parts.count; ++i) loop.run(i);
  loop.rethrow();
}

}  // namespace

bool inside_part() { return inside; }

#ifdef GRAFT_NO_THREADS

void run_parts(const Parts& parts) { run_alone(parts); }

#else

namespace {

using std::chrono::microseconds;

// Measured by bench/busy. Spinning takes a core from others and has its price: a thread that has used up its time slice is
// preempted in the middle of a part, and all the others wait for it. So in a crowd no thread spins. Otherwise, 100
// microseconds bridge the gaps between the loops of a training step.
constexpr microseconds patience(100);
// A thread that is woken starts after about 20 microseconds, beside other programs after 80. The work must take at least
// that long; in units of parallel.h.
constexpr Index worth_waking = 131072, worth_waking_when_crowded = 524288;

void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/// Spins until done(), for `at_most` at the longest, and returns whether it is done.
template <class Done>
bool spin(const Done& done, microseconds at_most) {
  const Clock::time_point end = Clock::now() + at_most;
  for (Clock::time_point before = end - at_most; before < end;) {
    for (int i = 0; i < 16; ++i) {
      if (done()) return true;
      pause();
    }
    const Clock::time_point now = Clock::now();
    if (now > before + sent_away) crowd_seen(now);
    before = now;
  }
  return false;
}

class Pool {
 public:
  void run(const Parts& parts);

 private:
  enum State { awake, offered, asleep };
  struct alignas(64) Seat {  // one cache line each, so that spinning threads do not disturb each other
    std::atomic<State> state{awake};
    std::mutex mutex;
    std::condition_variable called;

    bool given = false;  // offered to the thread, not left to the caller

    void offer(bool wake);
    bool take() {
      State was = offered;
      return state.compare_exchange_strong(was, awake);
    }
    bool take_back() { return !given || take(); }
    void wait();
  };
  static constexpr Index caller_sleeps = Index(1) << 32;

  Index seats(Index wanted);
  [[noreturn]] void work(Seat& seat, Index part);
  void ended(Index parts);
  void wait_for_parts();

  std::mutex callers_;  // held during a loop
  std::vector<std::unique_ptr<Seat>> seats_;
  Loop* loop_ = nullptr;
  std::mutex mutex_;
  std::condition_variable all_ended_;
  alignas(64) std::atomic<Index> running_{0};  // unfinished parts on seats, plus caller_sleeps
};

void Pool::Seat::offer(bool wake) {
  State was = awake;
  given = state.compare_exchange_strong(was, offered);
  if (given || !wake) return;
  given = true;
  state.store(offered);
  { const std::lock_guard<std::mutex> lock(mutex); }  // the thread may be marked asleep but not waiting yet
  called.notify_one();
}

void Pool::Seat::wait() {
  const microseconds time = crowded(Clock::now()) ? microseconds(0) : patience;
  if (spin([&] { return state.load(std::memory_order_relaxed) == offered; }, time)) return;
  State was = awake;
  if (!state.compare_exchange_strong(was, asleep)) return;
  std::unique_lock<std::mutex> lock(mutex);
  called.wait(lock, [&] { return state.load() != asleep; });
}

/// As many seats as wanted, or fewer if the system cannot create more threads.
Index Pool::seats(Index wanted) {
  while (size_of(seats_) < wanted) {
    seats_.push_back(std::make_unique<Seat>());
    try {
      Seat& seat = *seats_.back();
      const auto part = size_of(seats_);
      std::thread([this, &seat, part] { work(seat, part); }).detach();
    } catch (...) {
      seats_.pop_back();
      break;
    }
  }
  return std::min(wanted, size_of(seats_));
}

void Pool::work(Seat& seat, Index part) {
  inside = true;
  for (;;) {
    seat.wait();
    if (!seat.take()) continue;  // the caller was faster
    loop_->run(part);
    ended(1);
  }
}

void Pool::ended(Index parts) {
  if (running_.fetch_sub(parts) != parts + caller_sleeps) return;
  { const std::lock_guard<std::mutex> lock(mutex_); }
  all_ended_.notify_one();
}

void Pool::wait_for_parts() {
  const microseconds time = crowded(Clock::now()) ? patience / 5 : patience;
  if (spin([&] { return running_.load() == 0; }, time) || running_.fetch_add(caller_sleeps) == 0) return;
  std::unique_lock<std::mutex> lock(mutex_);
  all_ended_.wait(lock, [&] { return running_.load() == caller_sleeps; });
}

void Pool::run(const Parts& parts) {
  const std::unique_lock<std::mutex> lock(callers_, std::try_to_lock);
  if (!lock) return run_alone(parts);
  const Index others = seats(parts.count - 1);
  const Clock::time_point begin = Clock::now();
  look_for_a_crowd(begin);
  const bool wake = parts.work >= (crowded(begin) ? worth_waking_when_crowded : worth_waking);
  Loop loop(parts);
  loop_ = &loop;
  running_.store(others);
  for (Index i = 0; i < others; ++i) seats_[i]->offer(wake);
  loop.run(0);
  Index mine = 0;
  for (Index i = 0; i < others; ++i)
    if (seats_[i]->take_back()) loop.run(i + 1), ++mine;
  for (Index part = others + 1; part < parts.count; ++part) loop.run(part);
  if (running_.fetch_sub(mine) != mine) {
    const Clock::time_point ready = Clock::now();
    wait_for_parts();
    const Clock::time_point end = Clock::now();
    if (end > ready + 2 * (ready - begin) + sent_away) crowd_seen(end);  // parts are alike, but one took three times as long
  }
  loop.rethrow();
}

/// Never destroyed: its threads may sleep in it until the process ends.
std::atomic<Pool*> pool;

Pool& the_pool() {
  Pool* there = pool.load();
  if (there) return *there;
  auto made = std::make_unique<Pool>();
  return pool.compare_exchange_strong(there, made.get()) ? *made.release() : *there;
}

/// A child created by fork() has the pool's memory but not its threads, so it starts a new pool.
Pool* of_parent;
void leave_to_parent() { of_parent = pool.exchange(nullptr); }
[[maybe_unused]] const int at_fork = pthread_atfork(nullptr, nullptr, leave_to_parent);

}  // namespace

void run_parts(const Parts& parts) { the_pool().run(parts); }

#endif

}  // namespace graft::kernel
