// The caching allocator: blocks of 64-byte-aligned memory that are cached when freed, because the steps of a training loop
// request the same sizes again and again. Thread-safe; one pool per process.
#pragma once
#include <cstddef>

namespace graft {

struct Block {
  void* memory = nullptr;
  std::size_t bytes = 0;  ///< the block's actual size (the requested one, rounded up to its size class)
};

/// Errors: SizeError when the system has no memory left, naming the bytes requested; nothing is lost then.
Block allocate(std::size_t bytes);
void release(Block block) noexcept;

struct AllocatorStatistics {
  std::size_t system_calls;  ///< how often memory was requested from the system so far
  std::size_t live;          ///< bytes in blocks that are handed out
  std::size_t cached;        ///< bytes in free blocks kept for later
};
AllocatorStatistics allocator_statistics();
void release_cached();  ///< gives every free block back to the system and resets the peak of live bytes

}  // namespace graft
