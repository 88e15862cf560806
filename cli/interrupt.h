// Ctrl-C and similar signals, caught while there is something to finish or to clean up.
#pragma once
#include <csignal>
#include <initializer_list>
#include <utility>
#include <vector>

namespace graft::cli {

/// While it is alive, the first of each of these signals is only recorded; a second one ends the program as usual. A signal
/// that was ignored (nohup) stays ignored. One instance at a time.
class CatchSignals {
 public:
  explicit CatchSignals(std::initializer_list<int> signals);
  ~CatchSignals();
  CatchSignals(const CatchSignals&) = delete;
  CatchSignals& operator=(const CatchSignals&) = delete;
  static int caught();  ///< the latest signal; 0: none since the last CatchSignals was made

 private:
  std::vector<std::pair<int, struct sigaction>> before_;
};

/// Thrown to end a command because of a signal that was caught. After the cleanup, main() ends as the signal would have.
struct Interrupted {
  int signal;
};

}  // namespace graft::cli
