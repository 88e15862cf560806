// Byte-pair merging of one piece (Sennrich et al. 2016, algorithm 1): the neighbouring pair with the lowest rank is
// merged, the leftmost first, until no pair has a rank. Works on ids only.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace graft::bpe {

using Id = std::int32_t;

/// (left, right) -> rank and the id of the result. Open addressing, never more than half full.
class Merges {
 public:
  struct Rule {
    std::uint64_t pair;
    std::uint32_t rank;
    Id result;
  };
  static constexpr std::uint32_t no_rank = 0xFFFFFFFF;

  explicit Merges(std::size_t count);
  /// A pair given twice keeps its last rank, as in Hugging Face's map.
  void add(Id left, Id right, std::uint32_t rank, Id result);
  const Rule& find(Id left, Id right) const {
    const std::uint64_t pair = key(left, right);
    std::size_t at = place(pair);
    while (rules_[at].pair != pair && rules_[at].pair != free) at = (at + 1) & mask_;
    return rules_[at];
  }

 private:
  static constexpr std::uint64_t free = ~std::uint64_t{0};
  static std::uint64_t key(Id left, Id right) {
    return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
  }
  std::size_t place(std::uint64_t pair) const { return static_cast<std::size_t>(pair * 0x9E3779B97F4A7C15u >> shift_); }

  std::vector<Rule> rules_;
  std::size_t mask_;
  int shift_;
};

/// Merges ids[begin, end) in place, which shortens ids; [begin, end) must be the tail of ids.
void merge(std::vector<Id>& ids, std::size_t begin, const Merges& merges);

}  // namespace graft::bpe
