// Sizes and places of containers as graft's Index, which is signed, without a cast at every use.
#pragma once
#include <cstddef>
#include <cstdint>

namespace graft {

/// How many elements a list has.
template <class List>
std::int64_t size_of(const List& list) {
  return static_cast<std::int64_t>(list.size());
}
/// list[n], where n is an Index or an enumerator. Unchecked, as the list's own.
template <class List, class N>
decltype(auto) nth(List&& list, N n) {
  return list[static_cast<std::size_t>(n)];
}

}  // namespace graft
