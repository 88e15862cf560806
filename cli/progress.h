// What a user sees while something trains: on a terminal one line that is written over, into a pipe or file a plain line now
// and then, with --quiet nothing. It goes to stderr, so that stdout holds results only.
#pragma once
#include <chrono>
#include <string>
#include <vector>

#include "autograd/real.h"
#include "autograd/text.h"
#include "cli/pace.h"

namespace graft::cli {

class ProgressLine {
 public:
  /// begin: steps that were done before.
  ProgressLine(std::string name, Index steps, bool quiet, Index begin = 0);

  /// `done` steps are behind us, each of which handled `tokens` (0: say nothing of speed).
  void show(Index done, const std::string& news, double tokens = 0);
  void say(const std::string& line);   ///< a line of its own that stays
  void keep(const std::string& line);  ///< on a terminal the line that is written over; elsewhere one a minute

 private:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

  std::string name_;
  Index steps_, begin_;
  bool quiet_, live_, open_ = false;  // open: the last line on the terminal is one to write over
  double shown_ = 0;
  Pace pace_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

std::string digits(double x, int after = 3);                           ///< "0.125"
std::string short_time(double seconds);                                ///< "45 s", "3 min 20 s", "1 h 5 min"
std::string table(const std::vector<std::vector<std::string>>& rows);  ///< columns lined up, the first row over a rule

}  // namespace graft::cli
