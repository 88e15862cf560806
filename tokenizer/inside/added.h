// Finds added tokens ("<|im_start|>") in a text: the leftmost match, and the longest one that begins there.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graft::bpe {

class AddedTokens {
 public:
  struct Found {
    std::size_t at, length;
    std::int32_t id;  ///< -1: none was found
  };

  explicit AddedTokens(std::vector<std::pair<std::string, std::int32_t>> tokens);
  bool empty() const { return tokens_.empty(); }
  Found find(std::string_view text, std::size_t from) const;

 private:
  std::vector<std::pair<std::string, std::int32_t>> tokens_;  // sorted, so that those with a common prefix are neighbours
  std::array<bool, 256> begins_{};
};

}  // namespace graft::bpe
