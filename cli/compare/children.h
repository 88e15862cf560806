// Processes of this very program, several at once.
#pragma once
#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

namespace graft::cli {

struct Child {
  std::vector<std::string> arguments;  ///< after the program's name
  std::string log;                     ///< a file for what it writes to stdout and stderr; empty: ours
  std::function<void()> started;
  std::function<void(int code, double seconds)> ended;  ///< 128 + n if a signal ended it
};

/// Runs them in order, at most `jobs` at a time; meanwhile() is called a few times a second. When a signal has been caught, all that run
/// are told by SIGTERM and waited for, and none is begun. They end when this process does. Errors: FileError if one cannot be started.
void run_children(const std::vector<Child>& children, int jobs, const std::function<void()>& meanwhile);

std::string last_line(const std::string& file);  ///< the last line that is not empty; "" if there is none

}  // namespace graft::cli
