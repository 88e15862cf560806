// Jupyter's "interrupt": a flag that a training loop looks at. show::Progress does, by way of libgraft_notebook.
#include <csignal>

namespace {
volatile std::sig_atomic_t asked = 0;
}

extern "C" {
bool graft_kernel_interrupted() { return asked != 0; }
void graft_kernel_forget_interrupt() { asked = 0; }
void graft_kernel_watch_interrupt() {
  struct sigaction action = {};
  action.sa_handler = [](int) { asked = 1; };
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
}
}
