// Counts what a program asks for by operator new. The library's calls are counted, too: the program's definition comes first for
// the dynamic linker. Under AddressSanitizer operator new stays its own (it tells new from malloc and knows what leaks), and
// hooks of the sanitizer count instead; there a request that is refused ends the program, which is as good a finding.
#include <malloc.h>

#include <cstdlib>
#include <new>

#include "tests/fuzz/mutate.h"

#if defined(__SANITIZE_ADDRESS__)
#define GRAFT_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GRAFT_ADDRESS_SANITIZER 1
#endif
#endif

namespace fuzz {

Memory& memory() {
  static thread_local Memory used;
  return used;
}

namespace {

void asked(std::size_t size) {
  Memory& used = memory();
  used.largest = std::max(used.largest, size);
}
void taken(std::size_t size) {
  Memory& used = memory();
  used.live += size;
  used.peak = std::max(used.peak, used.live);
}
void returned(std::size_t size) {
  Memory& used = memory();
  used.live -= std::min(used.live, size);  // what was there before the count began is given back, too
}

}  // namespace

}  // namespace fuzz

#ifdef GRAFT_ADDRESS_SANITIZER

// Of sanitizer/allocator_interface.h, which not every package of the compiler brings.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void*, std::size_t),
                                                         void (*)(const volatile void*));
extern "C" std::size_t __sanitizer_get_allocated_size(const volatile void*);

namespace {

[[maybe_unused]] const int installed = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void*, std::size_t size) { fuzz::asked(size), fuzz::taken(size); },
    [](const volatile void* block) {
      if (block != nullptr) fuzz::returned(__sanitizer_get_allocated_size(block));
    });

}  // namespace

#else

// malloc's own notion of a block's size serves to count what is given back.
void* operator new(std::size_t size) {
  fuzz::asked(size);  // also when it is refused
  void* block = std::malloc(size == 0 ? 1 : size);
  if (block == nullptr) throw std::bad_alloc();
  fuzz::taken(malloc_usable_size(block));
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
  fuzz::returned(malloc_usable_size(block));
  std::free(block);
}
void operator delete(void* block, std::size_t) noexcept { operator delete(block); }
void* operator new[](std::size_t size) { return operator new(size); }
void* operator new[](std::size_t size, const std::nothrow_t& quiet) noexcept { return operator new(size, quiet); }
void operator delete[](void* block) noexcept { operator delete(block); }
void operator delete[](void* block, std::size_t) noexcept { operator delete(block); }

#endif
