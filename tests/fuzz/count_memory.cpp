// operator new that counts. The library's calls end up here, too: the program's definition comes first for the dynamic linker.
// mallocs's own notion of a block's size serves to count what is given back.
#include <malloc.h>

#include <cstdlib>
#include <new>

#include "tests/fuzz/mutate.h"

namespace fuzz {

Memory& memory() {
  static thread_local Memory used;
  return used;
}

}  // namespace fuzz

void* operator new(std::size_t size) {
  void* block = std::malloc(size == 0 ? 1 : size);
  fuzz::Memory& used = fuzz::memory();
  used.largest = std::max(used.largest, size);  // also when it is refused
  if (block == nullptr) throw std::bad_alloc();
  used.live += malloc_usable_size(block);
  used.peak = std::max(used.peak, used.live);
  return block;
}
/// std::stable_sort asks this way; AddressSanitizer's own would not go with our delete.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  try {
    return operator new(size);
  } catch (const std::bad_alloc&) { return nullptr; }
}
void operator delete(void* block) noexcept {
  if (block == nullptr) return;
  fuzz::Memory& used = fuzz::memory();
  used.live -= std::min(used.live, malloc_usable_size(block));
  std::free(block);
}
void operator delete(void* block, std::size_t) noexcept { operator delete(block); }
void* operator new[](std::size_t size) { return operator new(size); }
void* operator new[](std::size_t size, const std::nothrow_t& quiet) noexcept { return operator new(size, quiet); }
void operator delete[](void* block) noexcept { operator delete(block); }
void operator delete[](void* block, std::size_t) noexcept { operator delete(block); }
