// For short pieces all pairs are scanned again after each merge; for long ones they are kept in a heap. Both give the same ids.
#include "tokenizer/inside/merges.h"

#include <queue>

namespace graft::bpe {

Merges::Merges(std::size_t count) {
  int bits = 4;
  while ((std::size_t{1} << bits) < 2 * count) ++bits;
  shift_ = 64 - bits;
  mask_ = (std::size_t{1} << bits) - 1;
  rules_.assign(mask_ + 1, {free, no_rank, -1});
}

void Merges::add(Id left, Id right, std::uint32_t rank, Id result) {
  const_cast<Rule&>(find(left, right)) = {key(left, right), rank, result};
}

namespace {

constexpr std::size_t few = 32;  // symbols: up to this, n²/2 cheap steps are faster than a heap

/// O(n²), and without a heap or an allocation.
void merge_few(std::vector<Id>& ids, std::size_t begin, const Merges& merges) {
  std::uint32_t rank[few];  // of symbol i with symbol i + 1
  Id result[few];
  Id* const symbol = ids.data() + begin;
  std::size_t n = ids.size() - begin;
  const auto look = [&](std::size_t i) {
    const Merges::Rule& rule = merges.find(symbol[i], symbol[i + 1]);
    rank[i] = rule.rank;
    result[i] = rule.result;
  };
  for (std::size_t i = 0; i + 1 < n; ++i) look(i);
  while (n > 1) {
    std::size_t best = 0;
    for (std::size_t i = 1; i + 1 < n; ++i)
      if (rank[i] < rank[best]) best = i;
    if (rank[best] == Merges::no_rank) break;
    symbol[best] = result[best];
    --n;
    for (std::size_t i = best + 1; i < n; ++i) {
      symbol[i] = symbol[i + 1];
      rank[i] = rank[i + 1];
      result[i] = result[i + 1];
    }
    if (best > 0) look(best - 1);
    if (best + 1 < n) look(best);
  }
  ids.resize(begin + n);
}

/// O(n log n): symbols in a linked list, candidate merges in a heap. A candidate made stale by another merge is
/// recognized when it is popped, by the id of its result: a pair that has grown would give something longer.
void merge_many(std::vector<Id>& ids, std::size_t begin, const Merges& merges) {
  struct Candidate {
    std::uint32_t rank, left;
    Id result;
    bool operator<(const Candidate& other) const { return rank != other.rank ? rank > other.rank : left > other.left; }
  };
  constexpr std::uint32_t none = 0xFFFFFFFF;
  Id* const symbol = ids.data() + begin;
  const std::size_t n = ids.size() - begin;
  std::vector<std::uint32_t> next(n), previous(n);
  std::priority_queue<Candidate> candidates;
  const auto look = [&](std::uint32_t left) {
    if (next[left] == none) return;
    const Merges::Rule& rule = merges.find(symbol[left], symbol[next[left]]);
    if (rule.rank != Merges::no_rank) candidates.push({rule.rank, left, rule.result});
  };
  for (std::uint32_t i = 0; i < n; ++i) {
    next[i] = i + 1 < n ? i + 1 : none;
    previous[i] = i > 0 ? i - 1 : none;
  }
  for (std::uint32_t i = 0; i < n; ++i) look(i);
  while (!candidates.empty()) {
    const Candidate best = candidates.top();
    candidates.pop();
    const std::uint32_t left = best.left, right = symbol[left] < 0 ? none : next[left];
    if (right == none || merges.find(symbol[left], symbol[right]).result != best.result) continue;
    symbol[left] = best.result;
    symbol[right] = -1;  // gone
    next[left] = next[right];
    if (next[left] != none) previous[next[left]] = left;
    if (previous[left] != none) look(previous[left]);
    look(left);
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < n; ++i)
    if (symbol[i] >= 0) symbol[kept++] = symbol[i];
  ids.resize(begin + kept);
}

}  // namespace

void merge(std::vector<Id>& ids, std::size_t begin, const Merges& merges) {
  if (ids.size() - begin <= few) merge_few(ids, begin, merges);
  else merge_many(ids, begin, merges);
}

}  // namespace graft::bpe
