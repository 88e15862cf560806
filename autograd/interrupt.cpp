#include "autograd/interrupt.h"

#include <atomic>

namespace graft {
namespace {
std::atomic<bool (*)()> asked{nullptr};
}

Interrupted::~Interrupted() = default;

void interrupt_when(bool (*by)()) { asked.store(by); }

bool interrupt_requested() {
  bool (*const by)() = asked.load(std::memory_order_relaxed);
  return by != nullptr && by();
}

void heed_interrupt(const char* where) {
  if (interrupt_requested()) throw Interrupted(text(where, ": interrupted; what was done so far is kept"));
}

}  // namespace graft
