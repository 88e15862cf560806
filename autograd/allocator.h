// The caching allocator: blocks of 64-byte-aligned memory that are kept when freed, so that a training loop, whose steps
// ask for the same sizes again and again, does not go back to the system. Thread-safe; one pool for the process.
#pragma once
#include <cstddef>

namespace graft {

struct Block {
  void* memory = nullptr;
  std::size_t bytes = 0;  ///< what the block really holds (the size asked for, rounded up to its size class)
};

/// Errors: SizeError when the system has no memory left, naming the bytes asked for; nothing is lost then.
Block allocate(std::size_t bytes);
void release(Block block) noexcept;

struct AllocatorStatistics {
  std::size_t system_calls;  ///< how often memory was asked of the system so far
  std::size_t live;          ///< bytes in blocks that are handed out
  std::size_t cached;        ///< bytes in free blocks kept for later
};
AllocatorStatistics allocator_statistics();
void release_cached();  ///< gives every free block back to the system, and forgets how much was alive at most

}  // namespace graft
