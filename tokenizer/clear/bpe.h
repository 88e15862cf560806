// Byte-pair encoding (Sennrich et al. 2016), all of it: read this before tokenizer.h and train.h,
// which do the same with special tokens and foreign files, and many times faster.
#pragma once
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tokenizer/pretokenizer.h"

namespace graft::clear {

struct BytePairs {
  using Ids = std::vector<int>;
  using Pair = std::pair<int, int>;
  std::vector<std::string> tokens;  // what each id stands for: 256 bytes, then the merges
  std::vector<Pair> merges;         // merges[i] became the id 256 + i
  std::map<char, int> bytes;

  /// Repeatedly merges the most frequent pair; among equally frequent ones, the one with the lowest ids.
  BytePairs(const std::vector<std::string>& texts, std::size_t vocabulary) {
    for (const bool printed : {true, false})  // GPT-2's order: first the bytes that are visible in Latin-1
      for (int b = 0; b < 256; ++b)
        if (printed == ((b > 32 && b < 127) || (b > 160 && b != 173))) {
          bytes[static_cast<char>(b)] = static_cast<int>(tokens.size());
          tokens.emplace_back(1, static_cast<char>(b));
        }
    std::map<Ids, int> words;  // how often each occurs
    for (const std::string& text : texts)
      for (const auto piece : pre_tokenize(text, PreTokenizer::gpt2)) ++words[spelled(piece)];
    while (tokens.size() < vocabulary) {
      std::map<Pair, int> counts;
      for (const auto& [word, times] : words)
        for (std::size_t i = 0; i + 1 < word.size(); ++i) counts[{word[i], word[i + 1]}] += times;
      std::pair<Pair, int> best{{}, 1};
      for (const auto& one : counts)
        if (one.second > best.second) best = one;
      if (best.second < 2) return;
      merges.push_back(best.first);
      tokens.push_back(tokens[best.first.first] + tokens[best.first.second]);
      std::map<Ids, int> before;
      before.swap(words);
      for (const auto& [word, times] : before) words[merged(word, merges.size() - 1)] += times;
    }
  }
  /// Applies all merges to each piece of the text, in the order in which they were learned.
  Ids encode(const std::string& text) const {
    Ids all;
    for (const auto piece : pre_tokenize(text, PreTokenizer::gpt2)) {
      Ids ids = spelled(piece);
      for (std::size_t m = 0; m < merges.size(); ++m) ids = merged(ids, m);
      all.insert(all.end(), ids.begin(), ids.end());
    }
    return all;
  }
  std::string decode(const Ids& ids) const {
    std::string text;
    for (const int id : ids) text += tokens.at(static_cast<std::size_t>(id));
    return text;
  }

  Ids spelled(std::string_view piece) const {
    Ids ids;
    for (const char b : piece) ids.push_back(bytes.at(b));
    return ids;
  }
  Ids merged(const Ids& ids, std::size_t m) const {
    Ids out;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const bool both = i + 1 < ids.size() && Pair(ids[i], ids[i + 1]) == merges[m];
      out.push_back(both ? 256 + static_cast<int>(m) : ids[i]);
      i += both;
    }
    return out;
  }
};

}  // namespace graft::clear
