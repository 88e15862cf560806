#include "train/bleu.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <sstream>

#include "autograd/errors.h"

namespace graft::train {
namespace {

using Words = std::vector<std::string>;

Words words_of(const std::string& sentence) {
  std::istringstream in(sentence);
  Words words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

std::map<Words, long> runs(const Words& words, std::size_t n) {
  std::map<Words, long> counts;
  for (std::size_t i = 0; i + n <= words.size(); ++i)
    ++counts[Words(words.begin() + static_cast<std::ptrdiff_t>(i), words.begin() + static_cast<std::ptrdiff_t>(i + n))];
  return counts;
}

}  // namespace

double bleu(const std::vector<std::string>& answers, const std::vector<std::string>& references) {
  expect<ValueError>(!answers.empty() && answers.size() == references.size(), "bleu: ", answers.size(), " answers for ",
                     references.size(), " references; there must be one each");
  constexpr std::size_t longest = 4;
  double said = 0, wanted = 0;
  double matched[longest] = {}, possible[longest] = {};
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const Words a = words_of(answers[i]), r = words_of(references[i]);
    said += static_cast<double>(a.size()), wanted += static_cast<double>(r.size());
    for (std::size_t n = 1; n <= longest; ++n) {
      const std::map<Words, long> there = runs(r, n);
      for (const auto& [run, count] : runs(a, n)) {
        const auto found = there.find(run);
        possible[n - 1] += static_cast<double>(count);
        if (found != there.end()) matched[n - 1] += static_cast<double>(std::min(count, found->second));
      }
    }
  }
  if (matched[0] == 0) return 0;  // no word matches, so no n-gram does
  double logs = 0, smooth = 1;
  for (std::size_t n = 0; n < longest; ++n) {
    if (possible[n] == 0) return 0;
    if (matched[n] == 0) smooth *= 2;
    logs += std::log(matched[n] > 0 ? matched[n] / possible[n] : 1 / (smooth * possible[n]));
  }
  const double brevity = said >= wanted ? 1 : std::exp(1 - wanted / said);
  return 100 * brevity * std::exp(logs / static_cast<double>(longest));
}

}  // namespace graft::train
