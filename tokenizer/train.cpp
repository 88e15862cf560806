// Pairs are counted once; each merge then visits only the words that contain it and updates the counts of adjacent pairs. A
// heap gives the most frequent pair; entries with an outdated count are pushed again with the current one.
#include "tokenizer/train.h"

#include <algorithm>
#include <map>
#include <queue>
#include <unordered_map>
#include <unordered_set>

#include "autograd/errors.h"
#include "autograd/sizes.h"
#include "tokenizer/inside/alphabet.h"

namespace graft {

namespace {

using Pair = std::pair<TokenId, TokenId>;
struct PairHash {
  std::size_t operator()(const Pair& pair) const {
    return (static_cast<std::size_t>(pair.first) << 32 ^ static_cast<std::size_t>(pair.second)) * 0x9E3779B97F4A7C15u;
  }
};

struct Word {
  std::vector<TokenId> ids;
  std::int64_t count;  // occurrences in the texts
};

struct Candidate {
  std::int64_t count;
  Pair pair;
  bool operator<(const Candidate& other) const { return count != other.count ? count < other.count : pair > other.pair; }
};

/// Words as ids, how often each pair occurs, and which words may contain it.
struct Corpus {
  struct Found {
    std::int64_t count = 0;
    std::unordered_set<std::size_t> words;
  };
  std::vector<Word> words;
  std::unordered_map<Pair, Found, PairHash> pairs;
  std::priority_queue<Candidate> candidates;

  void count_all() {
    for (std::size_t w = 0; w < words.size(); ++w)
      for (std::size_t i = 0; i + 1 < words[w].ids.size(); ++i) add({words[w].ids[i], words[w].ids[i + 1]}, w);
    for (const auto& one : pairs) candidates.push({one.second.count, one.first});
  }
  void add(Pair pair, std::size_t w) {
    Found& found = pairs[pair];
    found.count += words[w].count;
    found.words.insert(w);
  }
  bool best(Candidate& out);
  void merge(Pair pair, TokenId result);
};

bool Corpus::best(Candidate& out) {
  while (!candidates.empty()) {
    out = candidates.top();
    candidates.pop();
    const auto found = pairs.find(out.pair);
    if (found == pairs.end()) continue;
    if (found->second.count == out.count) return true;
    if (found->second.count > 0) candidates.push({found->second.count, out.pair});
  }
  return false;
}

void Corpus::merge(Pair pair, TokenId result) {
  const std::unordered_set<std::size_t> where = std::move(pairs[pair].words);
  pairs.erase(pair);
  std::unordered_set<Pair, PairHash> grown;
  for (const std::size_t w : where) {
    std::vector<TokenId>& ids = words[w].ids;
    const auto neighbours = [&](Pair old, Pair fresh) {
      const auto found = pairs.find(old);
      if (found != pairs.end()) found->second.count -= words[w].count;
      add(fresh, w);
      grown.insert(fresh);
    };
    std::size_t kept = 0;
    for (std::size_t i = 0; i < ids.size(); ++kept) {
      if (i + 1 == ids.size() || ids[i] != pair.first || ids[i + 1] != pair.second) {
        ids[kept] = ids[i++];
        continue;
      }
      if (kept > 0) neighbours({ids[kept - 1], pair.first}, {ids[kept - 1], result});
      if (i + 2 < ids.size()) neighbours({pair.second, ids[i + 2]}, {result, ids[i + 2]});
      ids[kept] = result;
      i += 2;
    }
    ids.resize(kept);
  }
  for (const Pair& fresh : grown) {
    const auto found = pairs.find(fresh);
    if (found != pairs.end() && found->second.count > 0) candidates.push({found->second.count, fresh});
  }
}

/// Every distinct piece with its count, in any order: pairs are counted over all of them.
std::vector<Word> count_words(const std::vector<std::string>& texts, PreTokenizer pre, const std::array<TokenId, 256>& byte) {
  std::unordered_map<std::string_view, std::int64_t> counts;
  for (const std::string& text : texts)
    for (const std::string_view piece : pre_tokenize(text, pre)) ++counts[piece];
  std::vector<Word> words;
  words.reserve(counts.size());
  for (const auto& one : counts) {
    words.push_back({{}, one.second});
    for (const char b : one.first) words.back().ids.push_back(byte[static_cast<unsigned char>(b)]);
  }
  return words;
}

}  // namespace

Tokenizer train_tokenizer(const std::vector<std::string>& texts, std::size_t vocabulary, PreTokenizer pre,
                          const std::vector<std::string>& specials, std::size_t min_count) {
  expect<ValueError>(min_count > 0, "train_tokenizer: min_count is 0; a pair must occur at least once");
  expect<ValueError>(vocabulary >= specials.size() + 256, "train_tokenizer: a vocabulary of ", vocabulary, " has no room for ",
                     specials.size(), " special tokens and 256 bytes; make it at least ", specials.size() + 256);
  for (std::size_t i = 0; i < specials.size(); ++i)
    for (std::size_t k = 0; k < i; ++k)
      expect<ValueError>(specials[k] != specials[i], "train_tokenizer: the special token \"", specials[i], "\" is given twice");
  for (const std::string& special : specials) {
    const bool sign = std::find(alphabet::spelled().begin(), alphabet::spelled().end(), special) != alphabet::spelled().end();
    expect<ValueError>(!special.empty() && !sign, "train_tokenizer: the special token \"", special,
                       "\" is empty or one character of the byte alphabet; make it longer");
  }
  Tokenizer::Parts parts;
  parts.pre = pre;
  parts.source = "train_tokenizer";
  for (const std::string& special : specials) {
    parts.specials.push_back(static_cast<TokenId>(parts.tokens.size()));
    if (special == "<|endoftext|>") parts.eos = parts.specials.back();
    parts.tokens.push_back(special);
  }
  std::map<char32_t, unsigned char> order;
  for (unsigned b = 0; b < 256; ++b) order[alphabet::character(static_cast<unsigned char>(b))] = static_cast<unsigned char>(b);
  std::array<TokenId, 256> byte;
  for (const auto& one : order) {
    byte[one.second] = static_cast<TokenId>(parts.tokens.size());
    parts.tokens.push_back(alphabet::spelled()[one.second]);
  }

  std::unordered_map<std::string, TokenId> known;
  for (std::size_t i = 0; i < parts.tokens.size(); ++i) known.emplace(parts.tokens[i], static_cast<TokenId>(i));
  Corpus corpus;
  corpus.words = count_words(texts, pre, byte);
  corpus.count_all();
  Candidate best;
  while (parts.tokens.size() < vocabulary && corpus.best(best) && best.count >= static_cast<std::int64_t>(min_count)) {
    const std::string &left = nth(parts.tokens, best.pair.first),
                      &right = nth(parts.tokens, best.pair.second);
    parts.merges.emplace_back(left, right);
    // different merges may give the same string: it stays one token
    const auto place = known.emplace(left + right, static_cast<TokenId>(parts.tokens.size()));
    if (place.second) parts.tokens.push_back(place.first->first);
    corpus.merge(best.pair, place.first->second);
  }
  return Tokenizer(std::move(parts));
}

}  // namespace graft
