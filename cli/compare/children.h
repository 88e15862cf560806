// Child processes of this same program, several at once.
#pragma once
#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

namespace graft::cli {

struct Child {
  std::vector<std::string> arguments;  ///< after the program's name
  std::string log;                     ///< a file for its stdout and stderr; empty: ours
  std::function<void()> started;
  std::function<void(int code, double seconds)> ended;  ///< 128 + n if a signal ended it
};

/// Runs them in order, at most `jobs` at a time; meanwhile() is called a few times a second. After a caught signal,
/// those running get SIGTERM and are waited for; no more are started. They end with this process. Errors: FileError if one fails to start.
void run_children(const std::vector<Child>& children, int jobs, const std::function<void()>& meanwhile);

std::string last_line(const std::string& file);  ///< the last line that is not empty; "" if there is none

}  // namespace graft::cli
