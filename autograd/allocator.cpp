#include "autograd/allocator.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <mutex>
#include <tuple>
#include <utility>
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

// Blocks of at least this size get pages of their own, which the system has back as soon as they are freed. In malloc's heap
// that would have to wait until everything above them is free as well.
#ifdef __SANITIZE_ADDRESS__
constexpr std::size_t own_pages = SIZE_MAX;  // AddressSanitizer only guards the ends of malloc's blocks
#else
constexpr std::size_t own_pages = 256 << 10;
#endif

/// The size that a block's pages are rounded up to and aligned to.
std::size_t page_of(std::size_t bytes) { return bytes >= 2 * huge_page ? huge_page : 4096; }
std::size_t length_of(std::size_t bytes) { return (bytes + page_of(bytes) - 1) / page_of(bytes) * page_of(bytes); }

void* ask_system(std::size_t bytes) {
  if (bytes < own_pages) return std::aligned_alloc(alignment, bytes);
  const std::size_t page = page_of(bytes), length = length_of(bytes);
  void* const pages = mmap(nullptr, length + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) return nullptr;
  char* const begin = static_cast<char*>(pages);
  const std::size_t before = (page - reinterpret_cast<std::uintptr_t>(begin) % page) % page;
  if (before > 0) munmap(begin, before);  // trim both ends
  munmap(begin + before + length, page - before);
  if (page == huge_page) madvise(begin + before, length, MADV_HUGEPAGE);  // best effort; failing only costs speed
  return begin + before;
}

void give_back(void* memory, std::size_t bytes) noexcept {
  if (bytes < own_pages) std::free(memory);
  else munmap(memory, length_of(bytes));
}

class FreeBlocks {
 public:
  Block take(std::size_t wanted) {
    std::size_t bytes = size_class(wanted ? wanted : 1);
    const std::lock_guard<std::mutex> lock(mutex_);
    Shelf* shelf = &shelf_for(bytes);
    shelf->used = ++uses_;
    if (shelf->blocks.empty()) std::tie(shelf, bytes) = larger(*shelf, bytes);
    void* memory = nullptr;
    if (!shelf->blocks.empty()) {
      memory = shelf->blocks.back();
      shelf->blocks.pop_back();
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
    } catch (...) {  // no memory for the shelf's own list: give the block back at once
      give_back(block.memory, block.bytes);
    }
  }

  void drop_all() {
    const std::lock_guard<std::mutex> lock(mutex_);
    drop();
    peak_ = live_;
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

  /// If no block of this size is cached: a shelf of blocks at most twice as large. Batches of varying length, whose sizes
  /// rarely repeat, rely on this. Returns the same shelf if there is none.
  std::pair<Shelf*, std::size_t> larger(Shelf& same, std::size_t bytes) {
    if (bytes > small)
      for (auto entry = large_.upper_bound(bytes); entry != large_.end() && entry->first <= 2 * bytes; ++entry)
        if (!entry->second.blocks.empty()) return {&entry->second, entry->first};
    return {&same, bytes};
  }

  /// Called before `bytes` are requested from the system: live and cached blocks together may exceed the highest live total so
  /// far by an eighth. Beyond that, the least recently requested sizes are given back.
  void make_room(std::size_t bytes) {
    while (live_ + cached_ + bytes > peak_ + peak_ / 8 + keep_always) {
      auto oldest = large_.end();
      for (auto entry = large_.begin(); entry != large_.end(); ++entry)
        if (!entry->second.blocks.empty() && (oldest == large_.end() || entry->second.used < oldest->second.used))
          oldest = entry;
      if (oldest == large_.end()) return;
      give_back(oldest->second.blocks.back(), oldest->first);
      oldest->second.blocks.pop_back();
      cached_ -= oldest->first;
    }
  }

  void drop() {
    for (Shelf& shelf : small_) drop(shelf, small);
    for (auto& [bytes, shelf] : large_) drop(shelf, bytes);
    cached_ = 0;
  }
  static void drop(Shelf& shelf, std::size_t bytes) {
    for (void* memory : shelf.blocks) give_back(memory, bytes);
    shelf.blocks.clear();
  }

  std::mutex mutex_;
  Shelf small_[small / alignment + 1];
  std::map<std::size_t, Shelf> large_;
  std::size_t system_calls_ = 0, live_ = 0, cached_ = 0, peak_ = 0;
  std::uint64_t uses_ = 0;
};

FreeBlocks& free_blocks() {
  static FreeBlocks* const one = new FreeBlocks;  // never destroyed: tensors in other statics may outlive it
  return *one;
}

}  // namespace

Block allocate(std::size_t bytes) { return free_blocks().take(bytes); }
void release(Block block) noexcept {
  if (block.memory) free_blocks().put(block);
}
AllocatorStatistics allocator_statistics() { return free_blocks().statistics(); }
void release_cached() { free_blocks().drop_all(); }

}  // namespace graft
