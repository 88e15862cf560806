// What a user sees during training: on a terminal one line that is updated, in a pipe or file a plain line now and then, with
// --quiet nothing. It goes to stderr, so that stdout contains only results.
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
  /// begin: steps done earlier.
  ProgressLine(std::string name, Index steps, bool quiet, Index begin = 0);

  /// Shows that `done` steps are done, each with `tokens` tokens (0: do not show the speed).
  void show(Index done, const std::string& news, double tokens = 0);
  void say(const std::string& line);   ///< a separate line that stays
  void keep(const std::string& line);  ///< on a terminal the line that is updated; elsewhere one line a minute

 private:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

  std::string name_;
  Index steps_, begin_;
  bool quiet_, live_, open_ = false;  // open: the last line on the terminal is to be updated
  double shown_ = 0;
  Pace pace_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

std::string digits(double x, int after = 3);                           ///< "0.125"
std::string short_time(double seconds);                                ///< "45 s", "3 min 20 s", "1 h 5 min"
std::string table(const std::vector<std::vector<std::string>>& rows);  ///< aligned columns, a rule under the first row

}  // namespace graft::cli
