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

}  // namespace

void run_children(const std::vector<Child>& children, int jobs, const std::function<void()>& meanwhile) {
  struct Running {
    std::size_t which;
    Time began;
  };
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
    int status = 0;
    const pid_t pid = waitpid(-1, &status, WNOHANG);
    const auto found = running.find(pid);
    if (pid > 0 && found != running.end()) {
      const Running ended = found->second;
      running.erase(found);
      const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - ended.began).count();
      if (children[ended.which].ended) children[ended.which].ended(code, seconds);
      continue;
    }
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
