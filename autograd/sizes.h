// Sizes and places of containers as Index, which is signed, without a cast at every use.
#pragma once
#include <cstddef>

#include "autograd/real.h"

namespace graft {

/// How many elements a list has.
template <class List>
Index size_of(const List& list) {
  return static_cast<Index>(list.size());
}
/// list[n], where n is an Index or an enumerator. Unchecked, as the list's own.
template <class List, class N>
decltype(auto) nth(List&& list, N n) {
  return list[static_cast<std::size_t>(n)];
}

}  // namespace graft
