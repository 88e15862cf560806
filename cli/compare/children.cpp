#include "cli/compare/children.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <map>
#include <optional>

#include "autograd/errors.h"
#include "cli/interrupt.h"

namespace graft::cli {
namespace {

using Time = std::chrono::steady_clock::time_point;

pid_t start(const Child& child) {
  std::vector<std::string> words{"graft"};
  words.insert(words.end(), child.arguments.begin(), child.arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const int log = child.log.empty() ? -1 : open(child.log.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0644);
  expect<FileError>(child.log.empty() || log >= 0, child.log, ": cannot be written to: ", std::strerror(errno));
  const pid_t parent = getpid(), pid = fork();
  if (pid == 0) {  // only what is safe between fork and exec
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(127);
    if (log >= 0) dup2(log, STDOUT_FILENO), dup2(log, STDERR_FILENO);
    execv("/proc/self/exe", argv.data());
    _exit(127);
  }
  if (log >= 0) close(log);
  expect<FileError>(pid > 0, "cannot start a process: ", std::strerror(errno));
  return pid;
}

/// While it is alive, the exit status of children is kept for waitpid(), even if this process was started with SIGCHLD ignored.
class KeepsChildren {
 public:
  KeepsChildren() {
    struct sigaction usual {};
    usual.sa_handler = SIG_DFL;
    sigaction(SIGCHLD, &usual, &before_);
  }
  ~KeepsChildren() { sigaction(SIGCHLD, &before_, nullptr); }
  KeepsChildren(const KeepsChildren&) = delete;
  KeepsChildren& operator=(const KeepsChildren&) = delete;

 private:
  struct sigaction before_ {};
};

/// Its exit code, 128 + n if signal n ended it, 127 if unknown; none while it runs.
std::optional<int> ended(pid_t pid) {
  int status = 0;
  const pid_t which = waitpid(pid, &status, WNOHANG);
  if (which == 0 || (which < 0 && errno == EINTR)) return {};
  if (which < 0) return 127;  // it has ended, but its status went elsewhere
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

void run_children(const std::vector<Child>& children, int jobs, const std::function<void()>& meanwhile) {
  struct Running {
    std::size_t which;
    Time began;
  };
  const KeepsChildren kept;
  std::map<pid_t, Running> running;
  std::size_t next = 0;
  bool told = false;
  while (next < children.size() || !running.empty()) {
    const bool stopping = CatchSignals::caught() != 0;
    if (stopping && !told) {
      for (const auto& [pid, child] : running) kill(pid, SIGTERM);
      told = true;
    }
    if (stopping) next = children.size();
    while (next < children.size() && running.size() < static_cast<std::size_t>(jobs)) {
      if (children[next].started) children[next].started();
      const pid_t pid = start(children[next]);
      running[pid] = {next++, std::chrono::steady_clock::now()};
    }
    bool any = false;
    for (auto one = running.begin(); one != running.end();) {
      const std::optional<int> code = ended(one->first);
      if (!code) {
        ++one;
        continue;
      }
      const Running it = one->second;
      one = running.erase(one), any = true;
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - it.began).count();
      if (children[it.which].ended) children[it.which].ended(*code, seconds);
    }
    if (any) continue;
    if (running.empty()) continue;
    if (meanwhile) meanwhile();
    usleep(100000);
  }
}

std::string last_line(const std::string& file) {
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  if (!in) return "";
  const std::streamoff size = in.tellg(), from = std::max<std::streamoff>(0, size - 4096);
  in.seekg(from);
  std::string line, last;
  while (std::getline(in, line))
    if (!line.empty()) last = line;
  return last;
}

}  // namespace graft::cli
