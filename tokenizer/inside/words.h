// A fixed map from the bytes of whole words to their ids, for pieces that are one token: most of a text's pieces. Filled
// once, then only read, so threads may share it. Words point into memory that the owner keeps alive.
#pragma once
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace graft::bpe {

inline std::uint64_t hash(std::string_view bytes) {
  constexpr std::uint64_t odd = 0x9E3779B97F4A7C15u;
  std::uint64_t state = bytes.size() * odd;
  const auto mix = [&](std::uint64_t word) {
    state = (state ^ word) * odd;
    state ^= state >> 32;
  };
  while (bytes.size() >= 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data(), 8);
    mix(word);
    bytes.remove_prefix(8);
  }
  if (!bytes.empty()) {
    std::uint64_t word = 0;
    for (const char b : bytes) word = word << 8 | static_cast<unsigned char>(b);
    mix(word);
  }
  return state * odd;
}

class Words {
 public:
  explicit Words(std::size_t count) {
    std::size_t size = 16;
    while (size < 2 * count) size *= 2;
    buckets_.assign(size, {0, -1, 0, nullptr});
  }
  void add(std::string_view word, std::int32_t id) {
    const std::uint64_t h = hash(word);
    std::size_t at = h >> 32 & (buckets_.size() - 1);
    while (buckets_[at].id >= 0) at = (at + 1) & (buckets_.size() - 1);
    buckets_[at] = {static_cast<std::uint32_t>(h), id, word.size(), word.data()};
  }
  /// -1: not found.
  std::int32_t find(std::string_view word, std::uint64_t h) const {
    for (std::size_t at = h >> 32 & (buckets_.size() - 1); buckets_[at].id >= 0; at = (at + 1) & (buckets_.size() - 1)) {
      const Bucket& bucket = buckets_[at];
      if (bucket.hash == static_cast<std::uint32_t>(h) && std::string_view(bucket.word, bucket.length) == word) return bucket.id;
    }
    return -1;
  }

 private:
  struct Bucket {
    std::uint32_t hash;
    std::int32_t id;
    std::size_t length;
    const char* word;
  };
  std::vector<Bucket> buckets_;
};

}  // namespace graft::bpe
