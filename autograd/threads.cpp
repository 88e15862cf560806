#include "autograd/threads.h"

#ifdef __linux__
#include <sched.h>
#endif

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cstdlib>
#include <thread>

#include "autograd/errors.h"

namespace graft {
namespace {

/// The cores that this process may use: a batch system or taskset may allow fewer than there are.
int cores() {
#ifdef GRAFT_NO_THREADS
  return 1;
#else
#ifdef __linux__
  cpu_set_t mine;
  if (sched_getaffinity(0, sizeof mine, &mine) == 0) return CPU_COUNT(&mine);
#endif
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
#endif
}

/// A count as OpenMP reads it, "4", or "4,2" for nested regions (of which there are none here); 0 if it is not one.
int leading_count(const char* text) {
  if (text == nullptr) return 0;
  char* end = nullptr;
  const long count = std::strtol(text, &end, 10);
  while (std::isspace(static_cast<unsigned char>(*end))) ++end;
  return end != text && (*end == '\0' || *end == ',') && 1 <= count && count <= 65536 ? static_cast<int>(count) : 0;
}

std::atomic<int>& chosen() {
  static std::atomic<int> count{[] {
    const int asked = leading_count(std::getenv("OMP_NUM_THREADS"));
    return asked != 0 ? asked : cores();
  }()};
  return count;
}

}  // namespace

int threads() { return chosen(); }

void threads(int count) {
  expect<ValueError>(count >= 1, "threads: ", count, " requested, but at least 1 is needed");
  chosen() = count;
}

}  // namespace graft
