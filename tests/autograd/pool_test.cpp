// The threads behind the loops: every part runs once, whoever runs it; what a part is depends on the thread count alone.
#include "autograd/cpu/crowd.h"
#include "autograd/cpu/pool.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sched.h>
#endif

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <future>
#include <stdexcept>
#include <thread>
#include <vector>

#include "autograd/cpu/parallel.h"
#include "autograd/errors.h"
#include "autograd/kernels.h"
#include "autograd/rng.h"
#include "autograd/sizes.h"

namespace graft {
namespace {

using kernel::inside_part;

/// Sets the thread count back at the end of a test.
struct WithThreads {
  int before = threads();
  ~WithThreads() { threads(before); }
};

template <class F>
void run_parts(Index count, const F& part, Index work = 1'000'000) {
  kernel::run_parts({count, work, [](const void* loop, Index i) { (*static_cast<const F*>(loop))(i); }, &part});
}

/// Another caller that has the threads from here until the end of its life, in a part that waits.
class Occupied {
 public:
  Occupied() {
    std::promise<void> begun;
    caller_ = std::thread([&] {
      run_parts(2, [&](Index part) {
        if (part == 0) begun.set_value(), end_.get_future().wait();
      });
    });
    begun.get_future().wait();
  }
  ~Occupied() {
    end_.set_value();
    caller_.join();
  }

 private:
  std::promise<void> end_;
  std::thread caller_;
};

void fall_asleep() { std::this_thread::sleep_for(std::chrono::milliseconds(5)); }

TEST(Pool, EveryPartRunsOnce) {
  for (const bool asleep : {false, true})
    for (const Index work : {1, 1'000'000})  // not worth waking a thread, and worth it
      for (Index count = 2; count <= 9; ++count) {
        if (asleep) fall_asleep();
        std::vector<std::atomic<int>> runs(static_cast<std::size_t>(count));
        run_parts(count, [&](Index part) { ++nth(runs, part); }, work);
        for (const std::atomic<int>& n : runs) EXPECT_EQ(n, 1) << count << " parts, asleep " << asleep << ", work " << work;
      }
}

TEST(Pool, WhatTheFirstOfThePartsThrowsArrivesAndTheOthersRun) {
  for (int round = 0; round < 100; ++round) {
    std::atomic<int> ended{0};
    const auto part = [&](Index i) {
      expect<ValueError>(i != 2, "the third");
      if (i == 3) throw std::runtime_error("the fourth");
      ++ended;
    };
    EXPECT_THROW(run_parts(4, part), ValueError);
    EXPECT_EQ(ended, 2);
    EXPECT_FALSE(inside_part());
  }
}

TEST(Pool, ALoopInsideAPartStaysWhole) {
  const WithThreads restore;
  threads(4);
  const Index n = 1'000'000;
  std::atomic<int> parts{0}, inner{0}, whole{0}, elsewhere{0};
  kernel::for_range(n, 1, [&](Index, Index) {
    ++parts;
    EXPECT_TRUE(inside_part());
    const std::thread::id here = std::this_thread::get_id();
    kernel::for_range(n, 1, [&](Index begin, Index end) {
      ++inner;
      if (begin == 0 && end == n) ++whole;
      if (std::this_thread::get_id() != here) ++elsewhere;
    });
    EXPECT_TRUE(inside_part());
  });
  EXPECT_FALSE(inside_part());
  EXPECT_EQ(parts, 4);
  EXPECT_EQ(inner, 4);
  EXPECT_EQ(whole, 4);
  EXPECT_EQ(elsewhere, 0);
}

/// A product, whose bits depend on the cut, and a gradient of sums.
std::vector<real> numbers() {
  Rng rng(3);
  const Tensor a = normal({131, 257}, 0, 1, rng), b = normal({97, 257}, 0, 1, rng), x = normal({517, 129}, 0, 1, rng);
  std::vector<real> all = kernel::multiply_nt(a, b).values();
  for (const Tensor& t : {kernel::sum_to(x, Shape{129}), kernel::unary(kernel::Unary::gelu, x), kernel::softmax(x)})
    for (const real v : t.values()) all.push_back(v);
  return all;
}

TEST(Pool, BitsAreThoseOfTheCountWhoeverRunsTheParts) {
  const WithThreads restore;
  for (const int count : {2, 3, 5}) {
    threads(count);
    const std::vector<real> shared = numbers();
    const Occupied by_another;  // so all parts are left to this thread
    EXPECT_EQ(numbers(), shared) << count << " threads";
  }
}

TEST(Pool, ACallerBesideAnotherRunsItsPartsItself) {
  const Occupied by_another;
  const std::thread::id here = std::this_thread::get_id();
  int runs = 0;
  const auto part = [&](Index i) {
    EXPECT_EQ(std::this_thread::get_id(), here);
    EXPECT_TRUE(inside_part());
    ++runs;
    expect<ValueError>(i != 1, "the second");
  };
  EXPECT_THROW(run_parts(3, part), ValueError);
  EXPECT_EQ(runs, 3);
  EXPECT_FALSE(inside_part());
}

TEST(Pool, CallersAtOnceGetTheirOwnNumbers) {
  const WithThreads restore;
  threads(3);
  const std::vector<real> alone = numbers();
  std::atomic<int> wrong{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 3; ++i)
    callers.emplace_back([&] {
      for (int round = 0; round < 20; ++round)
        if (numbers() != alone) ++wrong;
    });
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Pool, TheCountMayChangeBetweenLoops) {
  const WithThreads restore;
  std::vector<std::vector<real>> first(6);
  for (const int count : {2, 5, 1, 3, 5, 2, 1, 4, 3, 4}) {
    threads(count);
    const std::vector<real> now = numbers();
    std::vector<real>& before = nth(first, count);
    if (before.empty()) before = now;
    EXPECT_EQ(now, before) << count << " threads";
  }
}

TEST(Crowd, IsHeldForOneOnlyForAMoment) {
  const auto now = std::chrono::steady_clock::now() + std::chrono::hours(1);  // whatever this machine does meanwhile
  EXPECT_FALSE(kernel::crowded(now));
  kernel::crowd_seen(now);
  EXPECT_TRUE(kernel::crowded(now + std::chrono::milliseconds(50)));
  EXPECT_FALSE(kernel::crowded(now + std::chrono::milliseconds(200)));
  kernel::crowd_seen(std::chrono::steady_clock::now() - std::chrono::hours(1));
}

/// Whether two parts run at the same time.
bool two_at_once() {
  std::atomic<int> begun{0};
  std::atomic<bool> met{true};
  run_parts(2, [&](Index) {
    ++begun;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (begun < 2 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    if (begun < 2) met = false;
  });
  return met;
}

/// What Python's multiprocessing does. The parent's threads are not in the child.
TEST(Pool, AChildOfForkHasThreadsOfItsOwn) {
  const WithThreads restore;
  threads(2);
  ASSERT_TRUE(two_at_once());
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) _exit(two_at_once() ? 0 : 1);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST(Pool, AChildOfForkComputes) {
  const WithThreads restore;
  threads(3);
  const std::vector<real> here = numbers();
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) _exit(numbers() == here && numbers() == here ? 0 : 1);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_EQ(numbers(), here);
}

/// The first count is read once, so each of these is a program of its own.
struct FirstCount : testing::Test {
  FirstCount() { testing::FLAGS_gtest_death_test_style = "threadsafe"; }
};
using FirstCountDeathTest = FirstCount;

[[noreturn]] void exit_with_count(const char* variable) {
  variable ? setenv("OMP_NUM_THREADS", variable, 1) : unsetenv("OMP_NUM_THREADS");
  std::_Exit(threads());
}

TEST_F(FirstCountDeathTest, IsThatOfTheVariable) {
  EXPECT_EXIT(exit_with_count("3"), testing::ExitedWithCode(3), "");
  EXPECT_EXIT(exit_with_count(" 7 "), testing::ExitedWithCode(7), "");
  EXPECT_EXIT(exit_with_count("5,2"), testing::ExitedWithCode(5), "");  // for nested regions, which there are none of
}

#ifdef __linux__
/// As nproc counts: the cores that this process may use.
[[noreturn]] void exit_with_count_on_one_core(const char* variable) {
  cpu_set_t mine, one;
  CPU_ZERO(&one);
  if (sched_getaffinity(0, sizeof mine, &mine) != 0) std::_Exit(100);
  for (int core = 0; core < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++core)
    if (CPU_ISSET(core, &mine)) CPU_SET(core, &one);
  if (sched_setaffinity(0, sizeof one, &one) != 0) std::_Exit(100);
  exit_with_count(variable);
}

TEST_F(FirstCountDeathTest, IsThatOfTheCoresWithoutOne) {
  EXPECT_EXIT(exit_with_count_on_one_core(nullptr), testing::ExitedWithCode(1), "");
  for (const char* nonsense : {"", "0", "-2", "two", "3x", "99999999999999999999"})
    EXPECT_EXIT(exit_with_count_on_one_core(nonsense), testing::ExitedWithCode(1), "") << nonsense;
}
#endif

}  // namespace
}  // namespace graft
