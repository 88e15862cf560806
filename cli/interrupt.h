// Ctrl-C and its kin, caught while there is something to finish or to tidy up.
#pragma once
#include <csignal>
#include <initializer_list>
#include <utility>
#include <vector>

namespace graft::cli {

/// While it lives, the first of each of these signals only leaves a note; the second ends the program as ever. A signal that
/// was ignored (nohup) stays so. One at a time.
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

/// Thrown to end a command because of a signal that was caught. When all is tidied up, main() ends as the signal would have.
struct Interrupted {
  int signal;
};

}  // namespace graft::cli
