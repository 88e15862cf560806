// The pipe to the kernel, and xcpp::display() and its kin, compiled: Cling would need a third of a second for them in every cell.
#include "talk.h"

#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>

namespace {

int to_kernel = -1, from_kernel = -1;
std::mutex one_at_a_time;

// The kernel is gone: there is nobody left to work for.
void transfer(ssize_t (*how)(char*, std::size_t), char* data, std::size_t n) {
  while (n > 0) {
    const ssize_t done = how(data, n);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) _exit(0);
    data += done, n -= static_cast<std::size_t>(done);
  }
}

void send(std::string text) {
  std::fflush(nullptr);
  std::cout.flush();
  std::clog.flush();
  const std::lock_guard<std::mutex> lock(one_at_a_time);
  if (to_kernel < 0) return;
  std::uint64_t size = text.size();
  transfer([](char* data, std::size_t n) { return write(to_kernel, data, n); }, reinterpret_cast<char*>(&size), sizeof size);
  transfer([](char* data, std::size_t n) { return write(to_kernel, data, n); }, text.data(), text.size());
  char answer;
  transfer([](char* data, std::size_t n) { return read(from_kernel, data, n); }, &answer, 1);
}

}  // namespace

namespace graft_kernel {

void say(const nlohmann::json& message) { send(message.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)); }

}  // namespace graft_kernel

// For interpreter.py.
extern "C" {
void graft_kernel_open(int to, int from) { to_kernel = to, from_kernel = from; }
void graft_kernel_say(const char* json) { send(json); }
}

namespace xcpp::kernel {

using Bundle = nlohmann::json (*)(const void* value);

void show(const char* kind, Bundle bundle, const void* value, const char* id) {
  nlohmann::json message{{"kind", kind}, {"data", bundle(value)}};
  if (id != nullptr) message["id"] = id;
  graft_kernel::say(message);
}
int leave() { _exit(0); }  // trial.py
void clear(bool wait) { graft_kernel::say({{"kind", "clear"}, {"wait", wait}}); }
nlohmann::json plain(const std::string& text) { return {{"text/plain", text}}; }

}  // namespace xcpp::kernel
