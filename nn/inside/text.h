// How messages and printed trees write numbers.
#pragma once
#include <string>
#include <vector>

#include "autograd/real.h"

namespace graft {

/// 1234567 -> "1,234,567"; n >= 0
inline std::string grouped(Index n) {
  std::string digits = std::to_string(n);
  for (std::size_t i = digits.size(); i > 3;) digits.insert(i -= 3, ",");
  return digits;
}

/// {2, 3} -> "[2, 3]"
inline std::string listed(const std::vector<Index>& sizes) {
  std::string all;
  for (const Index size : sizes) all += (all.empty() ? "" : ", ") + std::to_string(size);
  return "[" + all + "]";
}

}  // namespace graft
