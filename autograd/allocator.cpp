#include "autograd/allocator.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
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
    Shelf& shelf = shelf_for(bytes);
    shelf.used = ++uses_;
    void* memory = nullptr;
    if (!shelf.blocks.empty()) {
      memory = shelf.blocks.back();
      shelf.blocks.pop_back();
      cached_ -= bytes;
    } else {
      make_room(bytes);
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
    peak_ = std::max(peak_, live_);
    return {memory, bytes};
  }

  void put(Block block) noexcept {
    const std::lock_guard<std::mutex> lock(mutex_);
    live_ -= block.bytes;
    try {
      shelf_for(block.bytes).blocks.push_back(block.memory);
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

  struct Shelf {
    std::vector<void*> blocks;
    std::uint64_t used = 0;  // when a block was last asked for
  };

  Shelf& shelf_for(std::size_t bytes) { return bytes <= small ? small_[bytes / alignment] : large_[bytes]; }

  /// Before the system is asked for `bytes`: what is alive and what is kept may together be half as much again as was ever
  /// alive at once, so that two kinds of steps in turns both find their blocks. Beyond that, the sizes that were not asked
  /// for longest go back.
  void make_room(std::size_t bytes) {
    while (live_ + cached_ + bytes > peak_ + peak_ / 2 + keep_always) {
      auto oldest = large_.end();
      for (auto entry = large_.begin(); entry != large_.end(); ++entry)
        if (!entry->second.blocks.empty() && (oldest == large_.end() || entry->second.used < oldest->second.used))
          oldest = entry;
      if (oldest == large_.end()) return;
      std::free(oldest->second.blocks.back());
      oldest->second.blocks.pop_back();
      cached_ -= oldest->first;
    }
  }

  void drop() {
    for (Shelf& shelf : small_) drop(shelf);
    for (auto& entry : large_) drop(entry.second);
    cached_ = 0;
  }
  static void drop(Shelf& shelf) {
    for (void* memory : shelf.blocks) std::free(memory);
    shelf.blocks.clear();
  }

  std::mutex mutex_;
  Shelf small_[small / alignment + 1];
  std::map<std::size_t, Shelf> large_;
  std::size_t system_calls_ = 0, live_ = 0, cached_ = 0, peak_ = 0;
  std::uint64_t uses_ = 0;
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
