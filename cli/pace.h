// The time left, from the recent speed: the first steps also load files and fill caches.
#pragma once
#include <cstddef>
#include <deque>
#include <utility>

namespace graft::cli {

class Pace {
 public:
  explicit Pace(double window) : window_(window) {}  ///< how much work counts as recent

  /// Records how much was done at this time.
  void at(double seconds, double done) {
    if (!seen_.empty() && done <= seen_.back().second) return;
    seen_.emplace_back(seconds, done);
    while (seen_.size() > 2 && seen_[1].second <= done - window_) seen_.pop_front();
  }
  /// Seconds per unit of work; 0: not known yet.
  double each() const {
    if (seen_.size() < 2) return 0;
    return (seen_.back().first - seen_.front().first) / (seen_.back().second - seen_.front().second);
  }

 private:
  double window_;
  std::deque<std::pair<double, double>> seen_;  // time and work, increasing
};

}  // namespace graft::cli
