#include "autograd/allocator.h"

#include <sys/mman.h>

#include <cstdlib>
#include <map>
#include <mutex>
#include <vector>

#include "autograd/errors.h"

namespace graft {
namespace {

constexpr std::size_t alignment = 64;       // one cache line, one AVX-512 register
constexpr std::size_t huge_page = 2 << 20;  // large blocks sit on huge pages: fewer page faults and TLB misses

/// Eight classes per doubling: at most 1/8 of a block is rounding.
std::size_t size_class(std::size_t bytes) {
  std::size_t step = alignment;
  while (step * 16 <= bytes) step *= 2;
  return (bytes + step - 1) / step * step;
}

void* ask_system(std::size_t bytes) {
  const bool large = bytes >= 2 * huge_page;
  void* memory = std::aligned_alloc(large ? huge_page : alignment, large ? (bytes + huge_page - 1) & ~(huge_page - 1) : bytes);
  if (memory && large) madvise(memory, bytes, MADV_HUGEPAGE);  // a wish: its failure costs speed only
  return memory;
}

class Pool {
 public:
  Block take(std::size_t wanted) {
    const std::size_t bytes = size_class(wanted ? wanted : 1);
    const std::lock_guard<std::mutex> lock(mutex_);
    std::vector<void*>& shelf = shelf_for(bytes);
    void* memory = nullptr;
    if (!shelf.empty()) {
      memory = shelf.back();
      shelf.pop_back();
      cached_ -= bytes;
    } else {
      if (cached_ > live_ / 4 + keep_always) drop();  // sizes have changed: what is kept fits nothing any more
      ++system_calls_;
      memory = ask_system(bytes);
      if (!memory) {
        drop();
        memory = ask_system(bytes);
      }
      expect<SizeError>(memory != nullptr, "allocate: the system has no ", bytes, " bytes left (", live_,
                        " are in use); a smaller batch or recompute() needs less");
    }
    live_ += bytes;
    return {memory, bytes};
  }

  void put(Block block) noexcept {
    const std::lock_guard<std::mutex> lock(mutex_);
    live_ -= block.bytes;
    try {
      shelf_for(block.bytes).push_back(block.memory);
      cached_ += block.bytes;
    } catch (...) {  // no memory for the shelf itself: then the block goes back at once
      std::free(block.memory);
    }
  }

  void drop_all() {
    const std::lock_guard<std::mutex> lock(mutex_);
    drop();
  }

  AllocatorStatistics statistics() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return {system_calls_, live_, cached_};
  }

 private:
  static constexpr std::size_t small = 1024;  // up to here a shelf is found by index
  static constexpr std::size_t keep_always = std::size_t(64) << 20;

  std::vector<void*>& shelf_for(std::size_t bytes) { return bytes <= small ? small_[bytes / alignment] : large_[bytes]; }

  void drop() {
    for (auto& shelf : small_) drop(shelf);
    for (auto& entry : large_) drop(entry.second);
    cached_ = 0;
  }
  static void drop(std::vector<void*>& shelf) {
    for (void* memory : shelf) std::free(memory);
    shelf.clear();
  }

  std::mutex mutex_;
  std::vector<void*> small_[small / alignment + 1];
  std::map<std::size_t, std::vector<void*>> large_;
  std::size_t system_calls_ = 0, live_ = 0, cached_ = 0;
};

Pool& pool() {
  static Pool* const one = new Pool;  // never destroyed: tensors in other statics may outlive it
  return *one;
}

}  // namespace

Block allocate(std::size_t bytes) { return pool().take(bytes); }
void release(Block block) noexcept {
  if (block.memory) pool().put(block);
}
AllocatorStatistics allocator_statistics() { return pool().statistics(); }
void release_cached() { pool().drop_all(); }

}  // namespace graft
