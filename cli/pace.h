// How long is left, by how fast it went lately: the first steps also fetch files and fill caches.
#pragma once
#include <cstddef>
#include <deque>
#include <utility>

namespace graft::cli {

class Pace {
 public:
  explicit Pace(double window) : window_(window) {}  ///< how much work is "lately"

  /// At this time, so much was done.
  void at(double seconds, double done) {
    if (!seen_.empty() && done <= seen_.back().second) return;
    seen_.emplace_back(seconds, done);
    while (seen_.size() > 2 && seen_[1].second <= done - window_) seen_.pop_front();
  }
  /// Seconds for one unit of work; 0: nothing is known yet.
  double each() const {
    if (seen_.size() < 2) return 0;
    return (seen_.back().first - seen_.front().first) / (seen_.back().second - seen_.front().second);
  }

 private:
  double window_;
  std::deque<std::pair<double, double>> seen_;  // time and work, growing
};

}  // namespace graft::cli
