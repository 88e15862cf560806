#include "train/confusion.h"

#include <algorithm>
#include <sstream>

#include "autograd/errors.h"
#include "autograd/sizes.h"

namespace graft::train {

Confusion::Confusion(const std::vector<Index>& right, const std::vector<Index>& predicted, std::vector<std::string> labels)
    : labels_(std::move(labels)),
      counts_(labels_.size() * labels_.size(), 0),
      all_(size_of(right)) {
  expect<ValueError>(!right.empty() && right.size() == predicted.size(), "confusion: ", right.size(), " answers and ",
                     predicted.size(), " predictions; there must be one each");
  const Index L = size_of(labels_);
  for (std::size_t i = 0; i < right.size(); ++i) {
    for (const Index label : {right[i], predicted[i]})
      expect<IndexError>(0 <= label && label < L, "confusion: class ", label, " of ", L);
    ++nth(counts_, right[i] * L + predicted[i]);
  }
}

Index Confusion::count(Index right, Index predicted) const {
  return counts_.at(static_cast<std::size_t>(right) * labels_.size() + static_cast<std::size_t>(predicted));
}

double Confusion::accuracy() const {
  Index good = 0;
  for (Index l = 0; l < size_of(labels_); ++l) good += count(l, l);
  return static_cast<double>(good) / static_cast<double>(all_);
}

double Confusion::majority() const {
  const Index L = size_of(labels_);
  Index most = 0;
  for (Index l = 0; l < L; ++l) {
    Index here = 0;
    for (Index p = 0; p < L; ++p) here += count(l, p);
    most = std::max(most, here);
  }
  return static_cast<double>(most) / static_cast<double>(all_);
}

double Confusion::macro_f1() const {
  const Index L = size_of(labels_);
  double sum = 0;
  for (Index l = 0; l < L; ++l) {
    Index is = 0, said = 0;
    for (Index o = 0; o < L; ++o) is += count(l, o), said += count(o, l);
    if (is + said > 0) sum += 2 * static_cast<double>(count(l, l)) / static_cast<double>(is + said);
  }
  return sum / static_cast<double>(L);
}

std::string Confusion::table() const {
  std::size_t first = 0, width = 4;
  for (const std::string& label : labels_) first = std::max(first, label.size()), width = std::max(width, label.size());
  for (const Index n : counts_) width = std::max(width, std::to_string(n).size());
  std::ostringstream out;
  const auto cell = [&](const std::string& s) { out << "  " << std::string(width - s.size(), ' ') << s; };
  out << std::string(first, ' ');
  for (const std::string& label : labels_) cell(label);
  out << '\n';
  for (std::size_t r = 0; r < labels_.size(); ++r) {
    out << labels_[r] << std::string(first - labels_[r].size(), ' ');
    for (std::size_t p = 0; p < labels_.size(); ++p) cell(std::to_string(counts_[r * labels_.size() + p]));
    out << '\n';
  }
  return out.str();
}

}  // namespace graft::train
